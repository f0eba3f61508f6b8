"""The account's cart."""

from __future__ import annotations

from typing import Any

from flask import Blueprint
from marshmallow import Schema, fields, validate
from sqlalchemy import delete, func, select
from sqlalchemy.dialects.mysql import insert

from legacy_monolith.cart.content import MOST_ITEMS, own_cart, read_content, represent
from legacy_monolith.catalog.vocabulary import ItemStatus, joined, pieces
from legacy_monolith.clock import shop_now
from legacy_monolith.models import CartItem, Item, Promotion
from legacy_monolith.web.answer import Reply
from legacy_monolith.web.endpoint import Access, Call, endpoint
from legacy_monolith.web.errors import ApiError, conflict, not_found

blueprint = Blueprint("cart", __name__)

MOST_CODES = 4


class ItemBody(Schema):
    item_id = fields.Integer(required=True, strict=True)


class CodeBody(Schema):
    code = fields.String(required=True, validate=validate.Length(1, 40))


@blueprint.get("/api/cart")
@endpoint("The cart", access=Access.USER, errors=(401,))
def cart(call: Call) -> dict[str, Any]:
    return represent(read_content(call.session, call.user.id))


@blueprint.post("/api/cart/items")
@endpoint(
    "Put an item in; putting it in twice changes nothing",
    access=Access.USER,
    body=ItemBody,
    status=201,
    errors=(400, 401, 404, 409),
)
def put_in(call: Call) -> dict[str, Any]:
    item = call.session.get(Item, call.body["item_id"])
    if item is None or item.deleted_at is not None or item.status == ItemStatus.PROCESSING:
        raise not_found("item")
    mine = item.status == ItemStatus.RESERVED and item.reserved_by == call.user.id
    if item.status != ItemStatus.LISTED and not mine:
        raise conflict("item_unavailable", f"item {item.id} is {ItemStatus(item.status).word}", "item_id")
    own = own_cart(call.session, call.user.id)
    count = call.session.scalar(select(func.count()).select_from(CartItem).where(CartItem.cart_id == own.id)) or 0
    if count >= MOST_ITEMS:
        raise conflict("cart_full", f"a cart holds at most {MOST_ITEMS} items")
    statement = insert(CartItem).values(
        cart_id=own.id, item_id=item.id, price_when_added=item.price, created_at=shop_now()
    )
    call.session.execute(statement.on_duplicate_key_update(cart_id=statement.inserted.cart_id))
    return represent(read_content(call.session, call.user.id))


@blueprint.delete("/api/cart/items/<int:item_id>")
@endpoint("Take an item out", access=Access.USER, errors=(401,))
def take_out(call: Call, item_id: int) -> dict[str, Any]:
    own = own_cart(call.session, call.user.id)
    call.session.execute(delete(CartItem).where(CartItem.cart_id == own.id, CartItem.item_id == item_id))
    return represent(read_content(call.session, call.user.id))


@blueprint.delete("/api/cart")
@endpoint("Empty the cart, codes too", access=Access.USER, status=204, errors=(401,))
def empty(call: Call) -> Reply:
    own = own_cart(call.session, call.user.id)
    own.promo_codes = ""
    call.session.execute(delete(CartItem).where(CartItem.cart_id == own.id))
    return Reply(None)


@blueprint.post("/api/cart/promotions")
@endpoint(
    "Enter a promotion code; the quote says what it takes off",
    access=Access.USER,
    body=CodeBody,
    status=201,
    errors=(400, 401, 404, 409),
)
def enter_code(call: Call) -> dict[str, Any]:
    code = call.body["code"].upper()
    known = call.session.scalar(
        select(Promotion.id).where(Promotion.code == code, Promotion.active == 1, Promotion.deleted_at.is_(None))
    )
    if known is None:
        raise ApiError(404, "not_found", f"there is no promotion code {code}", "code")
    own = own_cart(call.session, call.user.id)
    codes = pieces(own.promo_codes)
    if code not in codes:
        if len(codes) >= MOST_CODES:
            raise conflict("too_many_codes", f"a cart takes at most {MOST_CODES} codes", "code")
        own.promo_codes = joined([*codes, code])
    call.session.flush()
    return represent(read_content(call.session, call.user.id))


@blueprint.delete("/api/cart/promotions/<code>")
@endpoint("Take a promotion code out", access=Access.USER, errors=(401,))
def take_code(call: Call, code: str) -> dict[str, Any]:
    own = own_cart(call.session, call.user.id)
    own.promo_codes = joined([each for each in pieces(own.promo_codes) if each != code.upper()])
    call.session.flush()
    return represent(read_content(call.session, call.user.id))
