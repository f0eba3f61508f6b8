"""Which codes apply to which lines, and what they take off. Pure: no clock, no database.

Codes are tried in the order in which they were entered; one that does not stack stands alone, so the first one wins.
Percent codes are taken before amounts, and each works on what the earlier ones have left of a line.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import IntEnum

from legacy_monolith.money import CENT, ZERO, rounded


class Kind(IntEnum):
    """What a promotion gives; the word is the name in lower case."""

    PERCENT = 1
    AMOUNT = 2
    FREE_SHIPPING = 3

    @property
    def word(self) -> str:
        return self.name.lower()


@dataclass(frozen=True)
class Line:
    """One item on its way to the till. ``category_path``: ids from the root to its own category."""

    item_id: int
    price: Decimal
    brand_id: int | None = None
    category_path: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Rule:
    """One promotion as a value. Empty scopes mean everything; None limits mean none. ``ends_at`` is exclusive."""

    id: int
    code: str
    kind: Kind
    value: Decimal = ZERO
    min_spend: Decimal = ZERO
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    per_user_limit: int | None = None
    total_limit: int | None = None
    used_count: int = 0
    stackable: bool = False
    active: bool = True
    brands: frozenset[int] = frozenset()
    categories: frozenset[int] = frozenset()

    def covers(self, line: Line) -> bool:
        """Brand and category scope both have to fit."""
        in_brands = not self.brands or line.brand_id in self.brands
        return in_brands and (not self.categories or bool(self.categories & line.category_path))


@dataclass(frozen=True)
class Refusal:
    """Why a code does not count. ``reason`` is for programs."""

    code: str
    reason: str
    message: str


@dataclass(frozen=True)
class Applied:
    """What one code takes off, per item. Free shipping takes nothing off items."""

    rule: Rule
    by_item: Mapping[int, Decimal] = field(default_factory=dict)

    @property
    def amount(self) -> Decimal:
        return sum(self.by_item.values(), ZERO)


@dataclass(frozen=True)
class Outcome:
    """All codes, judged."""

    applied: tuple[Applied, ...] = ()
    refused: tuple[Refusal, ...] = ()

    @property
    def discount(self) -> Decimal:
        return sum((one.amount for one in self.applied), ZERO)

    @property
    def free_shipping(self) -> bool:
        return any(one.rule.kind is Kind.FREE_SHIPPING for one in self.applied)

    def discount_of(self, item_id: int) -> Decimal:
        return sum((one.by_item.get(item_id, ZERO) for one in self.applied), ZERO)


def apply_codes(
    lines: Sequence[Line], rules: Sequence[Rule], uses_by_user: Mapping[int, int], now: datetime
) -> Outcome:
    """``rules`` in the order of entry; ``uses_by_user`` counts this user's earlier uses by promotion id."""
    accepted: list[Rule] = []
    refused: list[Refusal] = []
    for rule in rules:
        refusal = refuse(rule, lines, uses_by_user.get(rule.id, 0), now) or _clash(rule, accepted)
        if refusal:
            refused.append(refusal)
        else:
            accepted.append(rule)
    left = {line.item_id: line.price for line in lines}
    applied: list[Applied] = []
    for rule in sorted(accepted, key=lambda rule: rule.kind):
        taken = _taken(rule, lines, left)
        for item_id, amount in taken.items():
            left[item_id] -= amount
        applied.append(Applied(rule, taken))
    return Outcome(tuple(applied), tuple(refused))


def refuse(rule: Rule, lines: Sequence[Line], uses: int, now: datetime) -> Refusal | None:
    """Why the rule can't be used by itself; None if it can."""
    covered = sum((line.price for line in lines if rule.covers(line)), ZERO)
    checks = (
        (not rule.active, "inactive", "is not active"),
        (rule.starts_at is not None and now < rule.starts_at, "not_started", "has not started yet"),
        (rule.ends_at is not None and now >= rule.ends_at, "ended", "has ended"),
        (rule.total_limit is not None and rule.used_count >= rule.total_limit, "used_up", "has been used up"),
        (rule.per_user_limit is not None and uses >= rule.per_user_limit, "used_by_you", "was used by you before"),
        (not any(rule.covers(line) for line in lines), "nothing_covered", "covers nothing in the cart"),
        (covered < rule.min_spend, "min_spend", f"needs {rule.min_spend:.2f} of items that it covers"),
    )
    return next((Refusal(rule.code, reason, f"{rule.code} {why}") for failed, reason, why in checks if failed), None)


def _clash(rule: Rule, accepted: Sequence[Rule]) -> Refusal | None:
    if not accepted or (rule.stackable and all(other.stackable for other in accepted)):
        return None
    others = ", ".join(other.code for other in accepted)
    return Refusal(rule.code, "not_stackable", f"{rule.code} can't be combined with {others}")


def _taken(rule: Rule, lines: Sequence[Line], left: Mapping[int, Decimal]) -> dict[int, Decimal]:
    base = {line.item_id: left[line.item_id] for line in lines if rule.covers(line)}
    match rule.kind:
        case Kind.PERCENT:
            return {item_id: rounded(price * min(rule.value, Decimal(100)) / 100) for item_id, price in base.items()}
        case Kind.AMOUNT:
            return share(min(rule.value, sum(base.values(), ZERO)), base)
        case Kind.FREE_SHIPPING:
            return {}


def share(amount: Decimal, weights: Mapping[int, Decimal]) -> dict[int, Decimal]:
    """``amount`` in whole cents over the keys in proportion to their weights.

    No share is above its weight if ``amount`` is not above all weights; cents lost to rounding go to the largest
    remainders.
    """
    whole = sum(weights.values(), ZERO)
    if whole == 0:
        return dict.fromkeys(weights, ZERO)
    exact = {key: amount * weight / whole for key, weight in weights.items()}
    shares = {key: value.quantize(CENT, rounding="ROUND_FLOOR") for key, value in exact.items()}
    missing = int((amount - sum(shares.values(), ZERO)) / CENT)
    for key in sorted(exact, key=lambda key: (shares[key] - exact[key], key))[:missing]:
        shares[key] += CENT
    return shares
