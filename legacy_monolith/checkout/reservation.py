"""Taking items for one buyer. The row locks taken here are what makes an item sell once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from legacy_monolith.catalog.vocabulary import ItemStatus
from legacy_monolith.clock import shop_now
from legacy_monolith.models import Item, Order, OrderItem
from legacy_monolith.orders.vocabulary import OrderStatus
from legacy_monolith.web.errors import conflict


def lock_items(session: Session, item_ids: Sequence[int]) -> list[Item]:
    """In the order of their ids, so that two carts can't wait for each other."""
    return list(
        session.scalars(
            select(Item)
            .where(Item.id.in_(item_ids))
            .order_by(Item.id)
            .with_for_update()
            .execution_options(populate_existing=True)
        )
    )


def reserve(session: Session, user_id: int, item_ids: Sequence[int], minutes: int) -> list[Item]:
    """Locks and reserves, or prolongs what this user has reserved already. Raises 409 naming what is gone."""
    items = lock_items(session, item_ids)
    free = {item.id for item in items if _may_take(item, user_id)} - _in_pending_orders(session, item_ids)
    gone = sorted(set(item_ids) - free)
    if gone:
        names = ", ".join(map(str, gone))
        raise conflict("item_unavailable", f"no longer to be had: item {names}", "items")
    until = shop_now() + timedelta(minutes=minutes)
    for item in items:
        item.status, item.reserved_by, item.reserved_until = int(ItemStatus.RESERVED), user_id, until
    return items


def give_back(items: Sequence[Item]) -> None:
    """Listed again; the rows must be locked."""
    for item in items:
        item.status, item.reserved_by, item.reserved_until = int(ItemStatus.LISTED), None, None


def sell(items: Sequence[Item]) -> None:
    """Sold; the rows must be locked."""
    for item in items:
        item.status, item.reserved_until, item.sold_at = int(ItemStatus.SOLD), None, shop_now()


def _in_pending_orders(session: Session, item_ids: Sequence[int]) -> set[int]:
    """Reserved for the same buyer, but for an order whose payment is not known yet: buying it again would pay twice."""
    return set(
        session.scalars(
            select(OrderItem.item_id)
            .join(Order, Order.id == OrderItem.order_id)
            .where(OrderItem.item_id.in_(item_ids), Order.status == int(OrderStatus.PENDING))
        )
    )


def _may_take(item: Item, user_id: int) -> bool:
    if item.deleted_at is not None:
        return False
    mine = item.status == ItemStatus.RESERVED and item.reserved_by == user_id
    return mine or item.status == ItemStatus.LISTED
