"""HTTP around the domains: how a view is declared, authenticated, run and measured. No business rules.

- *late*: something that the monolith has and our copy does not have yet; the view is run again until it has arrived.
"""
