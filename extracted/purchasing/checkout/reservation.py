"""Taking items for one buyer. The row locks taken here are what makes an item sell once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from extracted.purchasing.clock import utc_now
from extracted.purchasing.tables import Order, OrderItem, Stock
from extracted.purchasing.web.errors import conflict


def lock_stock(session: Session, item_ids: Sequence[int]) -> list[Stock]:
    """In the order of their ids, so that two carts can't wait for each other."""
    return list(
        session.scalars(
            select(Stock)
            .where(Stock.item_id.in_(item_ids))
            .order_by(Stock.item_id)
            .with_for_update()
            .execution_options(populate_existing=True)
        )
    )


def reserve(session: Session, user_id: int, item_ids: Sequence[int], minutes: int) -> list[Stock]:
    """Locks and reserves, or prolongs what this user has reserved already. Raises 409 naming what is gone."""
    stock = lock_stock(session, item_ids)
    free = {row.item_id for row in stock if _may_take(row, user_id)} - _in_pending_orders(session, item_ids)
    gone = sorted(set(item_ids) - free)
    if gone:
        names = ", ".join(map(str, gone))
        raise conflict("item_unavailable", f"no longer to be had: item {names}", "items")
    until = utc_now() + timedelta(minutes=minutes)
    for row in stock:
        row.availability, row.reserved_by, row.reserved_until = "reserved", user_id, until
    return stock


def give_back(stock: Sequence[Stock]) -> None:
    """Listed again; the rows must be locked."""
    for row in stock:
        row.availability, row.reserved_by, row.reserved_until = "listed", None, None


def sell(stock: Sequence[Stock]) -> None:
    """Sold; the rows must be locked."""
    for row in stock:
        row.availability, row.reserved_until, row.sold_at = "sold", None, utc_now()


def _in_pending_orders(session: Session, item_ids: Sequence[int]) -> set[int]:
    """Reserved for the same buyer, but for an order whose payment is not known yet: buying it again would pay twice."""
    return set(
        session.scalars(
            select(OrderItem.item_id)
            .join(Order, Order.id == OrderItem.order_id)
            .where(OrderItem.item_id.in_(item_ids), Order.status == "pending")
        )
    )


def _may_take(row: Stock, user_id: int) -> bool:
    if row.removed_at is not None:
        return False
    mine = row.availability == "reserved" and row.reserved_by == user_id
    return mine or row.availability == "listed"
