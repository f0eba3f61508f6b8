"""Money as legacy holds it: DECIMAL(10,2) without a currency, said as a string with two places."""

from __future__ import annotations

import re
from decimal import ROUND_HALF_UP, Decimal

CENT = Decimal("0.01")
ZERO = Decimal("0.00")
#: What DECIMAL(10,2) can hold.
LARGEST = Decimal("99999999.99")

_AMOUNT = re.compile(r"\d{1,8}(\.\d{1,2})?", re.ASCII)


def rounded(amount: Decimal) -> Decimal:
    """To whole cents, halves up."""
    return amount.quantize(CENT, rounding=ROUND_HALF_UP)


def text(amount: Decimal | None) -> str | None:
    """``12.50``; None stays None."""
    return None if amount is None else f"{amount:.2f}"


def parse(written: str) -> Decimal | None:
    """An amount of zero or more with at most two places (``12``, ``12.5``, ``12.50``); None if it is not one."""
    return rounded(Decimal(written)) if _AMOUNT.fullmatch(written) else None
