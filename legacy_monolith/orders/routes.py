"""Orders: the buyer's view, and staff sending them off."""

from __future__ import annotations

from typing import Any

from flask import Blueprint
from sqlalchemy import select

from legacy_monolith.clock import shop_now
from legacy_monolith.models import Order, User
from legacy_monolith.notifications.message import tell
from legacy_monolith.orders.representation import full_order, order_line
from legacy_monolith.orders.vocabulary import OrderStatus
from legacy_monolith.web.endpoint import Access, Call, endpoint
from legacy_monolith.web.errors import conflict, not_found
from legacy_monolith.web.paging import PageQuery, window

blueprint = Blueprint("orders", __name__)


def own_order(call: Call, order_id: int) -> Order:
    """Staff see all orders; others get 404 for those that are not theirs."""
    order = call.session.get(Order, order_id)
    if order is None or (order.user_id != call.user.id and call.user.role != 1):
        raise not_found("order")
    return order


@blueprint.get("/api/orders")
@endpoint("Orders, newest first", access=Access.USER, query=PageQuery, errors=(400, 401))
def orders(call: Call) -> dict[str, Any]:
    limit, offset = window(call.query)
    rows = call.session.scalars(
        select(Order).where(Order.user_id == call.user.id).order_by(Order.id.desc()).limit(limit).offset(offset)
    )
    return {"orders": [order_line(row) for row in rows]}


@blueprint.get("/api/orders/<int:order_id>")
@endpoint("One order", access=Access.USER, errors=(401, 404))
def order(call: Call, order_id: int) -> dict[str, Any]:
    return full_order(call.session, own_order(call, order_id))


def _advance(call: Call, order_id: int, before: OrderStatus, after: OrderStatus) -> Order:
    found = call.session.scalar(select(Order).where(Order.id == order_id).with_for_update())
    if found is None:
        raise not_found("order")
    if found.status != before:
        raise conflict("wrong_status", f"order {order_id} is {OrderStatus(found.status).word}, not {before.word}")
    found.status = int(after)
    return found


@blueprint.post("/api/orders/<int:order_id>/ship")
@endpoint("Send a paid order off", access=Access.STAFF, errors=(401, 403, 404, 409))
def ship(call: Call, order_id: int) -> dict[str, Any]:
    found = _advance(call, order_id, OrderStatus.PAID, OrderStatus.SHIPPED)
    found.shipped_at = shop_now()
    buyer = call.session.get_one(User, found.user_id)
    tell(call, buyer, "order_shipped", f"order_shipped:{order_id}", {"order_id": order_id})
    return full_order(call.session, found)


@blueprint.post("/api/orders/<int:order_id>/deliver")
@endpoint("Note that an order has arrived", access=Access.STAFF, errors=(401, 403, 404, 409))
def deliver(call: Call, order_id: int) -> dict[str, Any]:
    found = _advance(call, order_id, OrderStatus.SHIPPED, OrderStatus.DELIVERED)
    found.delivered_at = shop_now()
    return full_order(call.session, found)
