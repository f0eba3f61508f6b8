"""Which codes apply to which lines, and what they take off, in cents. Pure: no clock, no database.

Codes are tried in the order in which they were entered; one that does not stack stands alone, so the first one wins.
Percent codes are taken before amounts, and each works on what the earlier ones have left of a line.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import ROUND_FLOOR, Decimal

from extracted.purchasing import money
from extracted.purchasing.words import PROMOTION_KINDS

WHOLE_BASIS_POINTS = 10_000


@dataclass(frozen=True)
class Line:
    """One item on its way to the till. ``category_path``: ids from the root to its own category."""

    item_id: int
    cents: int
    brand_id: int | None = None
    category_path: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Rule:
    """One promotion as a value. Empty scopes mean everything; None limits mean none. ``ends_at`` is exclusive."""

    id: int
    code: str
    kind: str
    basis_points: int = 0
    amount_cents: int = 0
    min_spend_cents: int = 0
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
        brand_fits = not self.brands or line.brand_id in self.brands
        return brand_fits and (not self.categories or not self.categories.isdisjoint(line.category_path))


@dataclass(frozen=True)
class Refusal:
    """Why a code does not count. ``reason`` is for programs."""

    code: str
    reason: str
    message: str


@dataclass(frozen=True)
class Applied:
    """What one code takes off, in cents per item. Free shipping takes nothing off items."""

    rule: Rule
    by_item: Mapping[int, int] = field(default_factory=dict)

    @property
    def cents(self) -> int:
        return sum(self.by_item.values())


@dataclass(frozen=True)
class Outcome:
    """All codes, judged."""

    applied: tuple[Applied, ...] = ()
    refused: tuple[Refusal, ...] = ()

    @property
    def discount_cents(self) -> int:
        return sum(one.cents for one in self.applied)

    @property
    def free_shipping(self) -> bool:
        return any(one.rule.kind == "free_shipping" for one in self.applied)

    def discount_of(self, item_id: int) -> int:
        return sum(one.by_item.get(item_id, 0) for one in self.applied)


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
    left = {line.item_id: line.cents for line in lines}
    applied: list[Applied] = []
    for rule in sorted(accepted, key=lambda rule: PROMOTION_KINDS.index(rule.kind)):
        taken = _taken(rule, lines, left)
        for item_id, cents in taken.items():
            left[item_id] -= cents
        applied.append(Applied(rule, taken))
    return Outcome(tuple(applied), tuple(refused))


def refuse(rule: Rule, lines: Sequence[Line], uses: int, now: datetime) -> Refusal | None:
    """Why the rule can't be used by itself; None if it can."""
    covered = sum(line.cents for line in lines if rule.covers(line))
    checks = (
        (not rule.active, "inactive", "is not active"),
        (rule.starts_at is not None and now < rule.starts_at, "not_started", "has not started yet"),
        (rule.ends_at is not None and now >= rule.ends_at, "ended", "has ended"),
        (rule.total_limit is not None and rule.used_count >= rule.total_limit, "used_up", "has been used up"),
        (rule.per_user_limit is not None and uses >= rule.per_user_limit, "used_by_you", "was used by you before"),
        (not any(rule.covers(line) for line in lines), "nothing_covered", "covers nothing in the cart"),
        (
            covered < rule.min_spend_cents,
            "min_spend",
            f"needs {money.text(rule.min_spend_cents)} of items that it covers",
        ),
    )
    return next((Refusal(rule.code, reason, f"{rule.code} {why}") for failed, reason, why in checks if failed), None)


def _clash(rule: Rule, accepted: Sequence[Rule]) -> Refusal | None:
    if not accepted or (rule.stackable and all(other.stackable for other in accepted)):
        return None
    others = ", ".join(other.code for other in accepted)
    return Refusal(rule.code, "not_stackable", f"{rule.code} can't be combined with {others}")


def _taken(rule: Rule, lines: Sequence[Line], left: Mapping[int, int]) -> dict[int, int]:
    base = {line.item_id: left[line.item_id] for line in lines if rule.covers(line)}
    match rule.kind:
        case "percent":
            points = min(rule.basis_points, WHOLE_BASIS_POINTS)
            return {item_id: _part(cents, points) for item_id, cents in base.items()}
        case "amount":
            return share(min(rule.amount_cents, sum(base.values())), base)
        case _:
            return {}


def _part(cents: int, basis_points: int) -> int:
    """Halves up."""
    return (cents * basis_points * 2 + WHOLE_BASIS_POINTS) // (WHOLE_BASIS_POINTS * 2)


def share(cents: int, weights: Mapping[int, int]) -> dict[int, int]:
    """``cents`` over the keys in proportion to their weights.

    No share is above its weight if ``cents`` is not above all weights; cents lost to rounding go to the largest
    remainders. Computed in decimals of 28 digits, as the monolith does: remainders that are equal as fractions are not
    always equal in its arithmetic, and the same line must get the cent on either side.
    """
    whole = Decimal(sum(weights.values())) / 100
    if whole == 0:
        return dict.fromkeys(weights, 0)
    amount = Decimal(cents) / 100
    exact = {key: amount * (Decimal(weight) / 100) / whole for key, weight in weights.items()}
    floors = {key: value.quantize(money.CENT, rounding=ROUND_FLOOR) for key, value in exact.items()}
    shares = {key: money.cents(value) for key, value in floors.items()}
    missing = cents - sum(shares.values())
    for key in sorted(exact, key=lambda key: (floors[key] - exact[key], key))[:missing]:
        shares[key] += 1
    return shares
