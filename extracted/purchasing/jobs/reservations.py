"""Reservations that have run out."""

from __future__ import annotations

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from extracted.purchasing.checkout.reservation import give_back
from extracted.purchasing.clock import SHOP_OFFSET, utc_now
from extracted.purchasing.messages.message import write_message
from extracted.purchasing.service import Service
from extracted.purchasing.tables import Item, Order, OrderItem, Stock

BATCH = 500


def expire_reservations(service: Service) -> int:
    """How many items are listed again; their almost-buyers are told. Raises NotOwner."""
    return service.database.run(_expire)


def _expire(session: Session) -> int:
    # an item of an order whose payment is not known yet is not free, however late it is (pending_orders sees to it)
    pending = exists().where(
        OrderItem.item_id == Stock.item_id, Order.id == OrderItem.order_id, Order.status == "pending"
    )
    late = list(
        session.scalars(
            select(Stock)
            .where(Stock.availability == "reserved", Stock.reserved_until < utc_now(), ~pending)
            .order_by(Stock.item_id)
            .limit(BATCH)
            .with_for_update(skip_locked=True)
        )
    )
    almost = [(row.item_id, row.reserved_by, row.reserved_until) for row in late]
    give_back(late)
    session.flush()
    for item_id, user_id, until in almost:
        item = session.get(Item, item_id)
        if user_id is not None and until is not None and item is not None:
            key = f"reservation_expired:{item_id}:{user_id}:{until + SHOP_OFFSET:%Y%m%d%H%M%S}"
            write_message(session, user_id, "reservation_expired", key, {"title": item.title})
    return len(late)
