"""Taking an item out of the shop: a matter of its availability, so it is decided here."""
