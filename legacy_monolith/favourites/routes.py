"""Favourites of the account."""

from __future__ import annotations

from typing import Any

from flask import Blueprint
from sqlalchemy import delete, select
from sqlalchemy.dialects.mysql import insert

from legacy_monolith.catalog import representation
from legacy_monolith.catalog.search import SUMMARY_COLUMNS
from legacy_monolith.catalog.vocabulary import ItemStatus
from legacy_monolith.clock import shop_now
from legacy_monolith.models import Brand, Favourite, Item
from legacy_monolith.web.answer import Reply
from legacy_monolith.web.endpoint import Access, Call, endpoint
from legacy_monolith.web.errors import not_found
from legacy_monolith.web.paging import PageQuery, window

blueprint = Blueprint("favourites", __name__)


@blueprint.get("/api/favourites")
@endpoint("Favourites, the latest first", access=Access.USER, query=PageQuery, errors=(400, 401))
def favourites(call: Call) -> dict[str, Any]:
    limit, offset = window(call.query)
    rows = call.session.execute(
        select(*SUMMARY_COLUMNS)
        .join_from(Favourite, Item, Item.id == Favourite.item_id)
        .outerjoin(Brand, Brand.id == Item.brand_id)
        .where(Favourite.user_id == call.user.id, Item.deleted_at.is_(None))
        .order_by(Favourite.id.desc())
        .limit(limit)
        .offset(offset)
    )
    return {"items": [representation.summary(row) for row in rows]}


@blueprint.put("/api/favourites/<int:item_id>")
@endpoint("Like an item; liking it twice changes nothing", access=Access.USER, status=204, errors=(401, 404))
def like(call: Call, item_id: int) -> Reply:
    found = call.session.scalar(
        select(Item.id).where(Item.id == item_id, Item.deleted_at.is_(None), Item.status != int(ItemStatus.PROCESSING))
    )
    if found is None:
        raise not_found("item")
    statement = insert(Favourite).values(user_id=call.user.id, item_id=item_id, created_at=shop_now())
    call.session.execute(statement.on_duplicate_key_update(user_id=statement.inserted.user_id))
    return Reply(None)


@blueprint.delete("/api/favourites/<int:item_id>")
@endpoint("Like an item no longer", access=Access.USER, status=204, errors=(401,))
def unlike(call: Call, item_id: int) -> Reply:
    call.session.execute(delete(Favourite).where(Favourite.user_id == call.user.id, Favourite.item_id == item_id))
    return Reply(None)
