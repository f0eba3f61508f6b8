"""Promotions in the tables: reading rules, counting uses, redeeming and releasing."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from legacy_monolith.clock import shop_now
from legacy_monolith.models import (
    OrderDiscount,
    Promotion,
    PromotionBrand,
    PromotionCategory,
    PromotionRedemption,
)
from legacy_monolith.promotions.rules import Applied, Kind, Rule


def read_rules(session: Session, codes: Sequence[str], *, lock: bool = False) -> list[Rule]:
    """In the order of ``codes``, without unknown and deleted ones. ``lock``: rows stay as they are until the commit."""
    if not codes:
        return []
    statement = (
        select(Promotion).where(Promotion.code.in_(codes), Promotion.deleted_at.is_(None)).order_by(Promotion.id)
    )
    if lock:
        statement = statement.with_for_update().execution_options(populate_existing=True)
    rows = list(session.scalars(statement))
    ids = [row.id for row in rows]
    brands = _scope(session, PromotionBrand.promotion_id, PromotionBrand.brand_id, ids)
    categories = _scope(session, PromotionCategory.promotion_id, PromotionCategory.category_id, ids)
    rules = {row.code: as_rule(row, brands.get(row.id, []), categories.get(row.id, [])) for row in rows}
    return [rules[code] for code in codes if code in rules]


def as_rule(row: Promotion, brands: Sequence[int], categories: Sequence[int]) -> Rule:
    return Rule(
        id=row.id,
        code=row.code,
        kind=Kind(row.kind),
        value=row.value,
        min_spend=row.min_spend,
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        per_user_limit=row.per_user_limit,
        total_limit=row.total_limit,
        used_count=row.used_count,
        stackable=row.stackable == 1,
        active=row.active == 1,
        brands=frozenset(brands),
        categories=frozenset(categories),
    )


def _scope(session: Session, key: object, value: object, ids: list[int]) -> dict[int, list[int]]:
    found: dict[int, list[int]] = {}
    if ids:
        for promotion_id, scoped in session.execute(select(key, value).where(key.in_(ids))):  # type: ignore[attr-defined, call-overload]
            found.setdefault(promotion_id, []).append(scoped)
    return found


def scopes(session: Session, ids: list[int]) -> tuple[dict[int, list[int]], dict[int, list[int]]]:
    """(brand ids, category ids) by promotion."""
    return (
        _scope(session, PromotionBrand.promotion_id, PromotionBrand.brand_id, ids),
        _scope(session, PromotionCategory.promotion_id, PromotionCategory.category_id, ids),
    )


def uses_of(session: Session, user_id: int, rules: Sequence[Rule]) -> dict[int, int]:
    """How often the user has used each, released ones not counted."""
    limited = [rule.id for rule in rules if rule.per_user_limit is not None]
    if not limited:
        return {}
    rows = session.execute(
        select(PromotionRedemption.promotion_id, func.count())
        .where(
            PromotionRedemption.promotion_id.in_(limited),
            PromotionRedemption.user_id == user_id,
            PromotionRedemption.released_at.is_(None),
        )
        .group_by(PromotionRedemption.promotion_id)
    )
    return {row[0]: row[1] for row in rows}


def redeem(session: Session, user_id: int, order_id: int, applied: Sequence[Applied], shipping_saved: object) -> None:
    """Books each use. The promotions' rows must be locked (``read_rules(lock=True)``), or limits could be overrun."""
    for one in applied:
        amount = shipping_saved if one.rule.kind is Kind.FREE_SHIPPING else one.amount
        session.execute(
            update(Promotion).where(Promotion.id == one.rule.id).values(used_count=Promotion.used_count + 1)
        )
        session.add(PromotionRedemption(promotion_id=one.rule.id, user_id=user_id, order_id=order_id, amount=amount))
        session.add(
            OrderDiscount(
                order_id=order_id, promotion_id=one.rule.id, code=one.rule.code, kind=int(one.rule.kind), amount=amount
            )
        )


def release(session: Session, order_id: int) -> None:
    """Takes the uses of an order back. Does nothing the second time."""
    rows = session.scalars(
        select(PromotionRedemption)
        .where(PromotionRedemption.order_id == order_id, PromotionRedemption.released_at.is_(None))
        .order_by(PromotionRedemption.promotion_id)
        .with_for_update()
    )
    for row in rows:
        row.released_at = shop_now()
        session.execute(
            update(Promotion).where(Promotion.id == row.promotion_id).values(used_count=Promotion.used_count - 1)
        )
