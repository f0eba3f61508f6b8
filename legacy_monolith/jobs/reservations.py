"""Reservations that have run out, straight on the tables."""

from __future__ import annotations

from sqlalchemy import bindparam, select, text
from sqlalchemy.orm import Session

from legacy_monolith.catalog.vocabulary import ItemStatus
from legacy_monolith.clock import SQL_NOW, shop_now
from legacy_monolith.jobs.context import current_shop
from legacy_monolith.jobs.run_log import note_run
from legacy_monolith.models import Item, User
from legacy_monolith.notifications.message import write_message

#: An item of an order whose payment is not known yet is not free, however late it is (``pending_orders`` sees to it).
_EXPIRED = text(
    f"""
    SELECT id FROM items
    WHERE status = :reserved AND reserved_until < {SQL_NOW}
      AND NOT EXISTS (
        SELECT 1 FROM order_items JOIN orders ON orders.id = order_items.order_id
        WHERE order_items.item_id = items.id AND orders.status = 0)
    ORDER BY id LIMIT 500 FOR UPDATE SKIP LOCKED
    """
)
_RELEASE = text(
    f"""
    UPDATE items SET status = :listed, reserved_by = NULL, reserved_until = NULL, updated_at = {SQL_NOW}
    WHERE id IN :ids
    """
).bindparams(bindparam("ids", expanding=True))


def expire_reservations() -> int:
    """How many items are listed again; their almost-buyers are told."""
    return current_shop().database.run(_expire)


def _expire(session: Session) -> int:
    started = shop_now()
    ids = list(session.scalars(_EXPIRED, {"reserved": int(ItemStatus.RESERVED)}))
    if not ids:
        return 0
    almost = session.execute(
        select(User, Item.id, Item.title, Item.reserved_until)
        .join(Item, Item.reserved_by == User.id)
        .where(Item.id.in_(ids))
    )
    for user, item_id, title, until in almost.all():
        key = f"reservation_expired:{item_id}:{user.id}:{until:%Y%m%d%H%M%S}"
        write_message(session, user, "reservation_expired", key, {"title": title})
    session.execute(_RELEASE, {"listed": int(ItemStatus.LISTED), "ids": ids})
    note_run(session, "expire_reservations", started, len(ids))
    return len(ids)
