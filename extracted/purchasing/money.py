"""Money is whole cents inside; the API says it as a string with two places."""

from __future__ import annotations

from decimal import Decimal

CENT = Decimal("0.01")
#: What the monolith's columns can hold.
LARGEST = Decimal("99999999.99")


def text(cents: int | None) -> str | None:
    """``12.50``; None stays None."""
    if cents is None:
        return None
    whole, rest = divmod(abs(cents), 100)
    return f"{'-' if cents < 0 else ''}{whole}.{rest:02d}"


def cents(amount: Decimal) -> int:
    """Of an amount with at most two places."""
    return int(amount * 100)
