"""Promotions in the tables: reading rules, counting uses, redeeming and releasing."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import func, select, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from extracted.purchasing.clock import utc_now
from extracted.purchasing.promotions.rules import Applied, Rule
from extracted.purchasing.service import Service
from extracted.purchasing.tables import (
    OrderDiscount,
    Promotion,
    PromotionBrand,
    PromotionCategory,
    PromotionRedemption,
    PromotionUse,
)
from extracted.purchasing.web.errors import ApiError
from extracted.purchasing.web.late import Missing


def unknown_code(service: Service, code: str, error: ApiError) -> Missing:
    """The code is not in our copy; it may be too new."""
    return Missing(error, lambda: service.shop.has_code(code))


def read_rules(session: Session, codes: Sequence[str], *, lock: bool = False) -> list[Rule]:
    """In the order of ``codes``, without unknown and removed ones. ``lock``: use counts stay until the commit."""
    if not codes:
        return []
    rows = {
        row.id: row
        for row in session.scalars(
            select(Promotion).where(Promotion.code.in_(codes), Promotion.removed_at.is_(None)).order_by(Promotion.id)
        )
    }
    uses = _uses(session, list(rows), lock=lock)
    brands = _scope(session, PromotionBrand.promotion_id, PromotionBrand.brand_id, list(rows))
    categories = _scope(session, PromotionCategory.promotion_id, PromotionCategory.category_id, list(rows))
    rules = {
        row.code: _rule(row, uses.get(row.id, 0), brands.get(row.id, []), categories.get(row.id, []))
        for row in rows.values()
    }
    return [rules[code] for code in codes if code in rules]


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


def redeem(session: Session, user_id: int, order_id: int, applied: Sequence[Applied], shipping_saved: int) -> None:
    """Books each use. The counts must be locked (``read_rules(lock=True)``), or limits could be overrun."""
    for one in applied:
        cents = shipping_saved if one.rule.kind == "free_shipping" else one.cents
        session.execute(
            update(PromotionUse)
            .where(PromotionUse.promotion_id == one.rule.id)
            .values(used_count=PromotionUse.used_count + 1)
        )
        session.add(
            PromotionRedemption(promotion_id=one.rule.id, user_id=user_id, order_id=order_id, amount_cents=cents)
        )
        session.add(
            OrderDiscount(
                order_id=order_id,
                promotion_id=one.rule.id,
                code=one.rule.code,
                kind=one.rule.kind,
                amount_cents=cents,
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
        row.released_at = utc_now()
        session.execute(
            update(PromotionUse)
            .where(PromotionUse.promotion_id == row.promotion_id)
            .values(used_count=PromotionUse.used_count - 1)
        )


def _uses(session: Session, ids: list[int], *, lock: bool) -> dict[int, int]:
    statement = select(PromotionUse).where(PromotionUse.promotion_id.in_(ids)).order_by(PromotionUse.promotion_id)
    if lock:
        statement = statement.with_for_update()
    statement = statement.execution_options(populate_existing=True)
    return {row.promotion_id: row.used_count for row in session.scalars(statement)} if ids else {}


def _rule(row: Promotion, used_count: int, brands: Sequence[int], categories: Sequence[int]) -> Rule:
    return Rule(
        id=row.id,
        code=row.code,
        kind=row.kind,
        basis_points=row.basis_points or 0,
        amount_cents=row.amount_cents or 0,
        min_spend_cents=row.min_spend_cents,
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        per_user_limit=row.per_user_limit,
        total_limit=row.total_limit,
        used_count=used_count,
        stackable=row.stackable,
        active=row.active,
        brands=frozenset(brands),
        categories=frozenset(categories),
    )


def _scope(
    session: Session, key: InstrumentedAttribute[int], value: InstrumentedAttribute[int], ids: list[int]
) -> dict[int, list[int]]:
    found: dict[int, list[int]] = {}
    if ids:
        for promotion_id, scoped in session.execute(select(key, value).where(key.in_(ids))):
            found.setdefault(promotion_id, []).append(scoped)
    return found
