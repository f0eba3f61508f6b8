"""Making items out of a bag: asked of the monolith, which owns what items are."""

from __future__ import annotations

import json
import time
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.dialects.mysql import insert
from sqlalchemy.orm import Session

from extracted.purchasing.service import Service
from extracted.purchasing.tables import BagContent, Item, Stock
from extracted.purchasing.web.answer import Reply
from extracted.purchasing.web.late import PAUSE_SECONDS

#: What the monolith says of a bag whose row, or whose new status, has not come to it yet.
NOT_THERE_YET = (404, 409)


def make_item(session: Session, service: Service, bag_id: int, body: dict[str, Any], asker: dict[str, str]) -> Reply:
    """The monolith's answer. The bag's row must be locked, and open: nobody closes it meanwhile.

    Blocks until the item's copy has arrived here, so that a bag that is closed next has it, or patience is over."""
    deadline = time.monotonic() + service.settings.patience_seconds
    status, text = service.shop.add_item_to_bag(bag_id, body, asker)
    while status in NOT_THERE_YET and time.monotonic() < deadline:
        time.sleep(PAUSE_SECONDS)
        status, text = service.shop.add_item_to_bag(bag_id, body, asker)
    if status == 201:
        item_id = json.loads(text)["id"]
        statement = insert(BagContent).values(bag_id=bag_id, item_id=item_id)
        session.execute(statement.on_duplicate_key_update(bag_id=statement.inserted.bag_id))
        while not _arrived(session, [item_id]) and time.monotonic() < deadline:
            time.sleep(PAUSE_SECONDS)
    return Reply(text=text.decode(), status=status)


def missing_items(session: Session, bag_id: int) -> list[int]:
    """Items made out of this bag whose copies have not arrived yet."""
    made = list(session.scalars(select(BagContent.item_id).where(BagContent.bag_id == bag_id)))
    return [item_id for item_id in made if not _arrived(session, [item_id])]


def _arrived(session: Session, item_ids: list[int]) -> bool:
    found = session.scalar(
        select(func.count())
        .select_from(Item)
        .join(Stock, Stock.item_id == Item.id)
        .where(Item.id.in_(item_ids), Item.bag_id.is_not(None))
    )
    return found == len(item_ids)
