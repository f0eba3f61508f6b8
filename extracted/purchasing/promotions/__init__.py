"""Promotion codes at the till: rules as pure functions, reading them, counting uses.

Does not decide totals (``checkout`` does), and does not edit promotions: they are the monolith's.
"""
