"""Consignment: sellers ask for a bag, staff receive it and turn its content into items.

Closing a bag lists items and pays in store credit in one transaction, so bags are here. The items themselves are
catalog's: making one out of a bag is asked of the monolith, while the bag's row is held here.
"""
