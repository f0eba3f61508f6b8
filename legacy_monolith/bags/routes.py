"""Bags: the seller's view, and staff's work on them."""

from __future__ import annotations

import secrets
from typing import Any

from flask import Blueprint
from marshmallow import Schema, fields, validate
from sqlalchemy import func, select

from legacy_monolith import money
from legacy_monolith.accounts.store_credit import Reason, book
from legacy_monolith.bags.vocabulary import BagStatus
from legacy_monolith.catalog.item_body import ItemBody, write
from legacy_monolith.catalog.staff import item_answer
from legacy_monolith.catalog.vocabulary import ItemStatus
from legacy_monolith.clock import iso, shop_now
from legacy_monolith.models import Bag, Item, User
from legacy_monolith.notifications.message import tell
from legacy_monolith.web.endpoint import Access, Call, endpoint
from legacy_monolith.web.errors import conflict, not_found
from legacy_monolith.web.paging import PageQuery, window

blueprint = Blueprint("bags", __name__)

#: Letters that nobody mixes up on a label.
LABEL_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"


class BagBody(Schema):
    notes = fields.String(load_default=None, allow_none=True, validate=validate.Length(max=500))


class BagItemBody(ItemBody):
    publish = fields.Boolean(load_default=False)


def represent(bag: Bag) -> dict[str, Any]:
    return {
        "id": bag.id,
        "label_code": bag.label_code,
        "status": BagStatus(bag.status).word,
        "payout_percent": bag.payout_percent,
        "estimated_value": money.text(bag.estimated_value),
        "notes": bag.notes,
        "received_at": iso(bag.received_at),
        "processed_at": iso(bag.processed_at),
        "created_at": iso(bag.created_at),
    }


def _locked(call: Call, bag_id: int, status: BagStatus) -> Bag:
    bag = call.session.scalar(select(Bag).where(Bag.id == bag_id).with_for_update())
    if bag is None:
        raise not_found("bag")
    if bag.status != status:
        raise conflict("wrong_status", f"bag {bag_id} is {BagStatus(bag.status).word}, not {status.word}")
    return bag


@blueprint.get("/api/bags")
@endpoint("Bags of the account, newest first", access=Access.USER, query=PageQuery, errors=(400, 401))
def bags(call: Call) -> dict[str, Any]:
    limit, offset = window(call.query)
    rows = call.session.scalars(
        select(Bag).where(Bag.user_id == call.user.id).order_by(Bag.id.desc()).limit(limit).offset(offset)
    )
    return {"bags": [represent(row) for row in rows]}


@blueprint.get("/api/bags/<int:bag_id>")
@endpoint("One bag", access=Access.USER, errors=(401, 404))
def bag(call: Call, bag_id: int) -> dict[str, Any]:
    row = call.session.get(Bag, bag_id)
    if row is None or (row.user_id != call.user.id and call.user.role != 1):
        raise not_found("bag")
    return represent(row)


@blueprint.post("/api/bags")
@endpoint("Ask for a bag", access=Access.USER, body=BagBody, status=201, errors=(400, 401))
def ask(call: Call) -> dict[str, Any]:
    label = "".join(secrets.choice(LABEL_LETTERS) for _ in range(12))
    row = Bag(user_id=call.user.id, label_code=label, status=0, payout_percent=40, notes=call.body["notes"])
    call.session.add(row)
    call.session.flush()
    return represent(row)


@blueprint.post("/api/bags/<int:bag_id>/receive")
@endpoint("Note that a bag has arrived", access=Access.STAFF, errors=(401, 403, 404, 409))
def receive(call: Call, bag_id: int) -> dict[str, Any]:
    row = _locked(call, bag_id, BagStatus.REQUESTED)
    row.status, row.received_at = int(BagStatus.RECEIVED), shop_now()
    return represent(row)


@blueprint.post("/api/bags/<int:bag_id>/items")
@endpoint(
    "Turn a piece of a bag's content into an item; with publish it is listed at once",
    access=Access.STAFF,
    body=BagItemBody,
    status=201,
    errors=(400, 401, 403, 404, 409),
)
def add_item(call: Call, bag_id: int) -> dict[str, Any]:
    row = _locked(call, bag_id, BagStatus.RECEIVED)
    publish = call.body.pop("publish")
    item = Item(
        seller_id=row.user_id,
        bag_id=bag_id,
        tags="",
        status=int(ItemStatus.LISTED if publish else ItemStatus.PROCESSING),
        markdown_count=0,
    )
    call.body.setdefault("brand_id", None)
    with call.session.no_autoflush:
        write(call, item)
    call.session.add(item)
    return item_answer(call, item)


@blueprint.post("/api/bags/<int:bag_id>/close")
@endpoint(
    "All unpacked: lists what was still in processing and pays the seller in store credit",
    access=Access.STAFF,
    errors=(401, 403, 404, 409),
)
def close(call: Call, bag_id: int) -> dict[str, Any]:
    row = _locked(call, bag_id, BagStatus.RECEIVED)
    items = list(call.session.scalars(select(Item).where(Item.bag_id == bag_id).order_by(Item.id).with_for_update()))
    for item in items:
        if item.status == ItemStatus.PROCESSING:
            item.status = int(ItemStatus.LISTED)
    call.session.flush()
    value = call.session.scalar(select(func.sum(Item.price)).where(Item.bag_id == bag_id)) or money.ZERO
    payout = money.rounded(value * row.payout_percent / 100)
    if payout > 0:
        book(call.session, row.user_id, payout, Reason.BAG_PAYOUT, bag_id=bag_id)
    row.status, row.processed_at, row.estimated_value = int(BagStatus.PROCESSED), shop_now(), value
    seller = call.session.get_one(User, row.user_id)
    told = {"label_code": row.label_code, "item_count": len(items), "payout": money.text(payout)}
    tell(call, seller, "bag_processed", f"bag_processed:{bag_id}", told)
    return {"bag": represent(row), "items": len(items), "payout": money.text(payout)}
