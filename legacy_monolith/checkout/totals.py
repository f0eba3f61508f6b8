"""What a cart costs. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from legacy_monolith import money
from legacy_monolith.money import ZERO
from legacy_monolith.promotions.rules import Line, Outcome

SHIPPING_FEE = Decimal("5.95")
FREE_SHIPPING_FROM = Decimal("79.00")


@dataclass(frozen=True)
class Totals:
    """total = subtotal - discount + shipping; to_pay = total - store_credit_used."""

    subtotal: Decimal
    discount: Decimal
    shipping: Decimal
    shipping_saved: Decimal  # by a promotion, not by a large order
    store_credit_used: Decimal

    @property
    def total(self) -> Decimal:
        return self.subtotal - self.discount + self.shipping

    @property
    def to_pay(self) -> Decimal:
        return self.total - self.store_credit_used


def add_up(lines: Sequence[Line], outcome: Outcome, credit: Decimal) -> Totals:
    """``credit``: how much store credit may be used."""
    subtotal = sum((line.price for line in lines), ZERO)
    discount = outcome.discount
    fee = ZERO if not lines or subtotal - discount >= FREE_SHIPPING_FROM else SHIPPING_FEE
    saved = fee if outcome.free_shipping else ZERO
    before_credit = subtotal - discount + fee - saved
    return Totals(subtotal, discount, fee - saved, saved, max(ZERO, min(credit, before_credit)))


def represent(totals: Totals, outcome: Outcome) -> dict[str, Any]:
    return {
        "subtotal": money.text(totals.subtotal),
        "discounts": [
            {
                "code": one.rule.code,
                "kind": one.rule.kind.word,
                "amount": money.text(totals.shipping_saved if one.rule.kind.word == "free_shipping" else one.amount),
            }
            for one in outcome.applied
        ],
        "refused_codes": [
            {"code": each.code, "reason": each.reason, "message": each.message} for each in outcome.refused
        ],
        "discount": money.text(totals.discount),
        "shipping": money.text(totals.shipping),
        "total": money.text(totals.total),
        "store_credit_used": money.text(totals.store_credit_used),
        "to_pay": money.text(totals.to_pay),
    }
