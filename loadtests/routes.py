"""Which of the shop's routes belong to a capability that moves: a shopper has to meet one side on all of them."""

from __future__ import annotations

CAPABILITIES: dict[str, frozenset[str]] = {
    "catalog": frozenset(("GET /api/items", "GET /api/items/{id}", "GET /api/brands", "GET /api/categories")),
}


def capability_of(route: str) -> str | None:
    """None for a route that stays with legacy."""
    return next((name for name, routes in CAPABILITIES.items() if route in routes), None)
