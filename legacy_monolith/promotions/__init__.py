"""Promotion codes: rules as pure functions, their storage, and staff's editing.

Does not decide totals (``checkout`` does) and does not know carts.
"""
