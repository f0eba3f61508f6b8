"""Browsing: items, brands, the category tree. ``API.md`` says the public answers to the byte.

Availability is shown here but changed by checkout, orders and returns.
"""
