"""Bags: the seller's view, and staff's work on them."""

from __future__ import annotations

import secrets
from typing import Any

from flask import Blueprint, request
from marshmallow import Schema, fields, validate
from sqlalchemy import select

from extracted.purchasing import money
from extracted.purchasing.bags.content import make_item, missing_items
from extracted.purchasing.checkout.reservation import lock_stock
from extracted.purchasing.clock import shop_time, utc_now
from extracted.purchasing.credit.booking import book
from extracted.purchasing.identity import identify
from extracted.purchasing.messages.message import write_message
from extracted.purchasing.tables import Bag, Item
from extracted.purchasing.tables.base import touch
from extracted.purchasing.web.answer import Reply
from extracted.purchasing.web.endpoint import Access, Call, endpoint
from extracted.purchasing.web.errors import ApiError, conflict, not_found
from extracted.purchasing.web.late import Missing
from extracted.purchasing.web.paging import PageQuery, window
from extracted.purchasing.words import CONDITIONS

blueprint = Blueprint("bags", __name__)

#: Letters that nobody mixes up on a label.
LABEL_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"


_WORD = validate.Regexp(r"^[^,]*[^, ][^,]*\Z", error="no comma, not blank")
_PRICE = validate.Range(money.CENT, money.LARGEST)


class BagBody(Schema):
    notes = fields.String(load_default=None, allow_none=True, validate=validate.Length(max=500))


class BagItemBody(Schema):
    """What the monolith will make an item of. Checked here too: bad input is said before a bag in the wrong state."""

    title = fields.String(required=True, validate=validate.Length(1, 200))
    description = fields.String(allow_none=True, validate=validate.Length(max=5000))
    price = fields.Decimal(places=2, required=True, validate=_PRICE)
    original_price = fields.Decimal(places=2, allow_none=True, validate=_PRICE)
    brand_id = fields.Integer(allow_none=True)
    category_id = fields.Integer(required=True)
    size = fields.String(allow_none=True, validate=validate.Length(1, 20))
    colour = fields.String(allow_none=True, validate=validate.Length(1, 30))
    condition = fields.String(required=True, validate=validate.OneOf(list(CONDITIONS)))
    tags = fields.List(fields.String(validate=[validate.Length(1, 30), _WORD]), validate=validate.Length(max=12))
    photos = fields.List(fields.String(validate=[validate.Length(1, 200), _WORD]), validate=validate.Length(max=20))
    weight_grams = fields.Integer(allow_none=True, validate=validate.Range(1))
    publish = fields.Boolean(load_default=False)


def represent(bag: Bag) -> dict[str, Any]:
    return {
        "id": bag.id,
        "label_code": bag.label_code,
        "status": bag.status,
        "payout_percent": bag.payout_percent,
        "estimated_value": money.text(bag.estimated_cents),
        "notes": bag.notes,
        "received_at": shop_time(bag.received_at),
        "processed_at": shop_time(bag.processed_at),
        "created_at": shop_time(bag.created_at),
    }


def payout(cents: int, percent: int) -> int:
    """Halves up."""
    return (cents * percent * 2 + 100) // 200


def _locked(call: Call, bag_id: int, status: str) -> Bag:
    bag = call.session.scalar(select(Bag).where(Bag.id == bag_id).with_for_update())
    if bag is None:
        raise not_found("bag")
    if bag.status != status:
        raise conflict("wrong_status", f"bag {bag_id} is {bag.status}, not {status}")
    return bag


@blueprint.get("/api/bags")
@endpoint(query=PageQuery)
def bags(call: Call) -> dict[str, Any]:
    limit, offset = window(call.query)
    rows = call.session.scalars(
        select(Bag).where(Bag.user_id == call.user.id).order_by(Bag.id.desc()).limit(limit).offset(offset)
    )
    return {"bags": [represent(row) for row in rows]}


@blueprint.get("/api/bags/<int:bag_id>")
@endpoint()
def bag(call: Call, bag_id: int) -> dict[str, Any]:
    row = call.session.get(Bag, bag_id)
    if row is None or (row.user_id != call.user.id and call.user.role != "staff"):
        raise not_found("bag")
    return represent(row)


@blueprint.post("/api/bags")
@endpoint(body=BagBody, status=201)
def ask(call: Call) -> dict[str, Any]:
    label = "".join(secrets.choice(LABEL_LETTERS) for _ in range(12))
    row = Bag(user_id=call.user.id, label_code=label, notes=call.body["notes"])
    call.session.add(row)
    call.session.flush()
    row.uuid = identify("bag", row.id)
    return represent(row)


@blueprint.post("/api/bags/<int:bag_id>/receive")
@endpoint(access=Access.STAFF)
def receive(call: Call, bag_id: int) -> dict[str, Any]:
    row = _locked(call, bag_id, "requested")
    row.status, row.received_at = "received", utc_now()
    return represent(row)


@blueprint.post("/api/bags/<int:bag_id>/items")
@endpoint(access=Access.STAFF, body=BagItemBody)
def add_item(call: Call, bag_id: int) -> Reply:
    row = _locked(call, bag_id, "received")
    touch(row)
    call.session.flush()
    return make_item(call.session, call.service, bag_id, request.get_json(force=True), call.asker)


@blueprint.post("/api/bags/<int:bag_id>/close")
@endpoint(access=Access.STAFF)
def close(call: Call, bag_id: int) -> dict[str, Any]:
    row = _locked(call, bag_id, "received")
    if missing_items(call.session, bag_id):
        raise Missing(ApiError(503, "late", "items of this bag are not here yet"), lambda: True)
    items = list(call.session.scalars(select(Item).where(Item.bag_id == bag_id)))
    for each in lock_stock(call.session, [item.id for item in items]):
        if each.availability == "processing":
            each.availability = "listed"
    value = sum(item.price_cents for item in items)
    paid = payout(value, row.payout_percent)
    if paid > 0:
        book(call.session, row.user_id, paid, "bag_payout", bag_id=bag_id)
    row.status, row.processed_at, row.estimated_cents = "processed", utc_now(), value
    told = {"label_code": row.label_code, "item_count": len(items), "payout": money.text(paid)}
    write_message(call.session, row.user_id, "bag_processed", f"bag_processed:{bag_id}", told)
    return {"bag": represent(row), "items": len(items), "payout": money.text(paid)}
