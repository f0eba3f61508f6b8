"""The services cut out of the monolith, one folder each, each with its own database and its own migrations.

None of them imports the monolith, the toolkit or another service: what they share is the public API.
"""
