"""Consignment: sellers ask for a bag, staff receive it and turn its content into items."""
