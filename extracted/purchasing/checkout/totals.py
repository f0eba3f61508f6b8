"""What a cart costs, in cents. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from extracted.purchasing import money
from extracted.purchasing.promotions.rules import Line, Outcome

SHIPPING_FEE = 595
FREE_SHIPPING_FROM = 7900


@dataclass(frozen=True)
class Totals:
    """total = subtotal - discount + shipping; to_pay = total - store_credit_used."""

    subtotal: int
    discount: int
    shipping: int
    store_credit_used: int
    shipping_saved: int = 0  # by a promotion, not by a large order

    @property
    def total(self) -> int:
        return self.subtotal - self.discount + self.shipping

    @property
    def to_pay(self) -> int:
        return self.total - self.store_credit_used

    def lines(self) -> list[dict[str, object]]:
        """As an order keeps them: what is taken off is below zero."""
        amounts = {
            "subtotal": self.subtotal,
            "discount": -self.discount,
            "shipping": self.shipping,
            "store_credit": -self.store_credit_used,
        }
        return [{"kind": kind, "cents": cents} for kind, cents in amounts.items()]


def add_up(lines: Sequence[Line], outcome: Outcome, credit: int) -> Totals:
    """``credit``: how much store credit may be used."""
    subtotal = sum(line.cents for line in lines)
    discount = outcome.discount_cents
    fee = 0 if not lines or subtotal - discount >= FREE_SHIPPING_FROM else SHIPPING_FEE
    saved = fee if outcome.free_shipping else 0
    before_credit = subtotal - discount + fee - saved
    return Totals(subtotal, discount, fee - saved, max(0, min(credit, before_credit)), saved)


def of_lines(lines: Sequence[Mapping[str, Any]]) -> Totals:
    """Back from an order's lines."""
    cents = {line["kind"]: line["cents"] for line in lines}
    return Totals(cents["subtotal"], -cents["discount"], cents["shipping"], -cents["store_credit"])


def represent(totals: Totals, outcome: Outcome) -> dict[str, Any]:
    return {
        "subtotal": money.text(totals.subtotal),
        "discounts": [
            {
                "code": one.rule.code,
                "kind": one.rule.kind,
                "amount": money.text(totals.shipping_saved if one.rule.kind == "free_shipping" else one.cents),
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
