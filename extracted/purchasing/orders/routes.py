"""Orders: the buyer's view, and staff sending them off."""

from __future__ import annotations

from typing import Any

from flask import Blueprint
from sqlalchemy import select

from extracted.purchasing.clock import utc_now
from extracted.purchasing.messages.message import write_message
from extracted.purchasing.orders.representation import full_order, order_line
from extracted.purchasing.tables import Order
from extracted.purchasing.web.endpoint import Access, Call, endpoint
from extracted.purchasing.web.errors import conflict, not_found
from extracted.purchasing.web.paging import PageQuery, window

blueprint = Blueprint("orders", __name__)


@blueprint.get("/api/orders")
@endpoint(query=PageQuery)
def orders(call: Call) -> dict[str, Any]:
    limit, offset = window(call.query)
    rows = call.session.scalars(
        select(Order).where(Order.user_id == call.user.id).order_by(Order.id.desc()).limit(limit).offset(offset)
    )
    return {"orders": [order_line(row) for row in rows]}


@blueprint.get("/api/orders/<int:order_id>")
@endpoint()
def order(call: Call, order_id: int) -> dict[str, Any]:
    """Staff see all orders; others get 404 for those that are not theirs."""
    found = call.session.get(Order, order_id)
    if found is None or (found.user_id != call.user.id and call.user.role != "staff"):
        raise not_found("order")
    return full_order(call.session, found)


def _advance(call: Call, order_id: int, before: str, after: str) -> Order:
    found = call.session.scalar(select(Order).where(Order.id == order_id).with_for_update())
    if found is None:
        raise not_found("order")
    if found.status != before:
        raise conflict("wrong_status", f"order {order_id} is {found.status}, not {before}")
    found.status = after
    return found


@blueprint.post("/api/orders/<int:order_id>/ship")
@endpoint(access=Access.STAFF)
def ship(call: Call, order_id: int) -> dict[str, Any]:
    found = _advance(call, order_id, "paid", "shipped")
    found.shipped_at = utc_now()
    write_message(call.session, found.user_id, "order_shipped", f"order_shipped:{order_id}", {"order_id": order_id})
    return full_order(call.session, found)


@blueprint.post("/api/orders/<int:order_id>/deliver")
@endpoint(access=Access.STAFF)
def deliver(call: Call, order_id: int) -> dict[str, Any]:
    found = _advance(call, order_id, "shipped", "delivered")
    found.delivered_at = utc_now()
    return full_order(call.session, found)
