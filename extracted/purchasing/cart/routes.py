"""The account's cart."""

from __future__ import annotations

from typing import Any

from flask import Blueprint
from marshmallow import Schema, fields, validate
from sqlalchemy import delete, func, select
from sqlalchemy.dialects.mysql import insert

from extracted.purchasing.cart.card import pieces
from extracted.purchasing.cart.content import MOST_ITEMS, cart_to_change, read_content, represent
from extracted.purchasing.clock import utc_now
from extracted.purchasing.promotions.storage import unknown_code
from extracted.purchasing.tables import CartItem, Item, Promotion, Stock
from extracted.purchasing.web.answer import Reply
from extracted.purchasing.web.endpoint import Call, endpoint
from extracted.purchasing.web.errors import ApiError, conflict, not_found
from extracted.purchasing.web.late import Missing

blueprint = Blueprint("cart", __name__)

MOST_CODES = 4


class ItemBody(Schema):
    item_id = fields.Integer(required=True, strict=True)


class CodeBody(Schema):
    code = fields.String(required=True, validate=validate.Length(1, 40))


@blueprint.get("/api/cart")
@endpoint()
def cart(call: Call) -> dict[str, Any]:
    return represent(read_content(call.session, call.user.id))


@blueprint.post("/api/cart/items")
@endpoint(body=ItemBody, status=201)
def put_in(call: Call) -> dict[str, Any]:
    item_id = call.body["item_id"]
    item, stock = call.session.get(Item, item_id), call.session.get(Stock, item_id)
    if item is None or stock is None:
        raise Missing(not_found("item"), lambda: call.service.shop.has_item(item_id))
    if stock.removed_at is not None or stock.availability == "processing":
        raise not_found("item")
    mine = stock.availability == "reserved" and stock.reserved_by == call.user.id
    if stock.availability != "listed" and not mine:
        raise conflict("item_unavailable", f"item {item_id} is {stock.availability}", "item_id")
    own = cart_to_change(call.session, call.user.id)
    count = call.session.scalar(select(func.count()).select_from(CartItem).where(CartItem.cart_id == own.id)) or 0
    if count >= MOST_ITEMS:
        raise conflict("cart_full", f"a cart holds at most {MOST_ITEMS} items")
    statement = insert(CartItem).values(
        cart_id=own.id, item_id=item_id, cents_when_added=item.price_cents, created_at=utc_now()
    )
    call.session.execute(statement.on_duplicate_key_update(cart_id=statement.inserted.cart_id))
    return represent(read_content(call.session, call.user.id))


@blueprint.delete("/api/cart/items/<int:item_id>")
@endpoint()
def take_out(call: Call, item_id: int) -> dict[str, Any]:
    own = cart_to_change(call.session, call.user.id)
    call.session.execute(delete(CartItem).where(CartItem.cart_id == own.id, CartItem.item_id == item_id))
    return represent(read_content(call.session, call.user.id))


@blueprint.delete("/api/cart")
@endpoint(status=204)
def empty(call: Call) -> Reply:
    own = cart_to_change(call.session, call.user.id)
    own.codes = []
    call.session.execute(delete(CartItem).where(CartItem.cart_id == own.id))
    return Reply()


@blueprint.post("/api/cart/promotions")
@endpoint(body=CodeBody, status=201)
def enter_code(call: Call) -> dict[str, Any]:
    code = call.body["code"].upper()
    found = call.session.scalar(select(Promotion).where(Promotion.code == code))
    error = ApiError(404, "not_found", f"there is no promotion code {code}", "code")
    if found is None:
        raise unknown_code(call.service, code, error)
    if not found.active or found.removed_at is not None:
        raise error
    own = cart_to_change(call.session, call.user.id)
    codes = pieces(own.codes)
    if code not in codes:
        if len(codes) >= MOST_CODES:
            raise conflict("too_many_codes", f"a cart takes at most {MOST_CODES} codes", "code")
        # blanks at the ends are no part of a code, although the database finds it with them
        own.codes = [*codes, code.strip(" ")]
    call.session.flush()
    return represent(read_content(call.session, call.user.id))


@blueprint.delete("/api/cart/promotions/<code>")
@endpoint()
def take_code(call: Call, code: str) -> dict[str, Any]:
    own = cart_to_change(call.session, call.user.id)
    own.codes = [each for each in pieces(own.codes) if each != code.upper()]
    call.session.flush()
    return represent(read_content(call.session, call.user.id))
