"""Changing the catalog."""

from __future__ import annotations

import re
from typing import Any

from flask import Blueprint
from marshmallow import Schema, fields, validate
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from legacy_monolith.catalog import representation
from legacy_monolith.catalog.item_body import ItemChange, write
from legacy_monolith.catalog.tree import read_path
from legacy_monolith.catalog.vocabulary import ItemStatus
from legacy_monolith.clock import shop_now
from legacy_monolith.models import Brand, Item, PriceChange
from legacy_monolith.web.answer import Reply
from legacy_monolith.web.endpoint import Access, Call, endpoint
from legacy_monolith.web.errors import conflict, not_found

blueprint = Blueprint("catalog_staff", __name__)

BY_STAFF = 2


class BrandBody(Schema):
    name = fields.String(required=True, validate=validate.Length(1, 120))
    designer = fields.Boolean(load_default=False)


def _locked(call: Call, item_id: int) -> Item:
    item = call.session.scalar(select(Item).where(Item.id == item_id, Item.deleted_at.is_(None)).with_for_update())
    if item is None:
        raise not_found("item")
    return item


def item_answer(call: Call, item: Item) -> dict[str, Any]:
    call.session.flush()
    brand = call.session.get(Brand, item.brand_id) if item.brand_id else None
    return representation.page_of(item, brand, read_path(call.session, item.category_id))


@blueprint.patch("/api/items/<int:item_id>")
@endpoint("Change an item", access=Access.STAFF, body=ItemChange, errors=(400, 401, 403, 404))
def change(call: Call, item_id: int) -> dict[str, Any]:
    item = _locked(call, item_id)
    old_price = item.price
    write(call, item)
    if item.price != old_price:
        call.session.add(PriceChange(item_id=item.id, old_price=old_price, new_price=item.price, reason=BY_STAFF))
    return item_answer(call, item)


@blueprint.delete("/api/items/<int:item_id>")
@endpoint("Remove an item that is not sold or reserved", access=Access.STAFF, status=204, errors=(401, 403, 404, 409))
def remove(call: Call, item_id: int) -> Reply:
    item = _locked(call, item_id)
    if item.status in (ItemStatus.RESERVED, ItemStatus.SOLD):
        raise conflict("wrong_status", f"item {item_id} is {ItemStatus(item.status).word}")
    item.status, item.deleted_at = int(ItemStatus.WITHDRAWN), shop_now()
    return Reply(None)


@blueprint.post("/api/brands")
@endpoint("Add a brand", access=Access.STAFF, body=BrandBody, status=201, errors=(400, 401, 403, 409))
def add_brand(call: Call) -> dict[str, Any]:
    name = call.body["name"]
    slug = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "brand"
    brand = Brand(name=name, slug=slug, is_designer=int(call.body["designer"]))
    try:
        with call.session.begin_nested():
            call.session.add(brand)
    except IntegrityError as error:
        raise conflict("brand_exists", f"there is a brand {slug} already", "name") from error
    return representation.brand(brand)
