"""Returns: the buyer asks, staff receive and refund."""

from __future__ import annotations

from typing import Any

from flask import Blueprint
from marshmallow import Schema, fields, validate
from sqlalchemy import select

from extracted.purchasing.checkout.reservation import give_back, lock_stock
from extracted.purchasing.clock import utc_now
from extracted.purchasing.gateway import GatewayUnreachable
from extracted.purchasing.identity import identify
from extracted.purchasing.messages.message import write_message
from extracted.purchasing.returns.refund import lock_return, refund_return
from extracted.purchasing.returns.representation import represent
from extracted.purchasing.tables import Order, OrderItem, Return, ReturnItem
from extracted.purchasing.web.endpoint import Access, Call, endpoint
from extracted.purchasing.web.errors import ApiError, conflict, invalid, not_found
from extracted.purchasing.web.paging import PageQuery, window

blueprint = Blueprint("returns", __name__)

RETURNABLE = ("paid", "shipped", "delivered", "partly_returned")


class ReturnBody(Schema):
    order_id = fields.Integer(required=True, strict=True)
    order_items = fields.List(fields.Integer(strict=True), required=True, validate=validate.Length(1, 50))
    reason = fields.String(required=True, validate=validate.Length(1, 300))
    refund_to = fields.String(load_default="card", validate=validate.OneOf(["card", "store_credit"]))


class ReceiveBody(Schema):
    restock = fields.List(fields.Integer(strict=True), load_default=None, allow_none=True)


@blueprint.get("/api/returns")
@endpoint(query=PageQuery)
def returns(call: Call) -> dict[str, Any]:
    limit, offset = window(call.query)
    rows = call.session.scalars(
        select(Return).where(Return.user_id == call.user.id).order_by(Return.id.desc()).limit(limit).offset(offset)
    )
    return {"returns": [represent(call.session, row) for row in rows]}


@blueprint.get("/api/returns/<int:return_id>")
@endpoint()
def one(call: Call, return_id: int) -> dict[str, Any]:
    row = call.session.get(Return, return_id)
    if row is None or (row.user_id != call.user.id and call.user.role != "staff"):
        raise not_found("return")
    return represent(call.session, row)


@blueprint.post("/api/returns")
@endpoint(body=ReturnBody, status=201)
def ask(call: Call) -> dict[str, Any]:
    body = call.body
    order = call.session.scalar(select(Order).where(Order.id == body["order_id"]).with_for_update())
    if order is None or order.user_id != call.user.id:
        raise not_found("order")
    if order.status not in RETURNABLE:
        raise conflict("wrong_status", f"order {order.id} is {order.status}", "order_id")
    lines = {line.id: line for line in call.session.scalars(select(OrderItem).where(OrderItem.order_id == order.id))}
    row = Return(
        order_id=order.id,
        user_id=call.user.id,
        refund_to=body["refund_to"],
        reason=body["reason"],
        requested_at=utc_now(),
    )
    call.session.add(row)
    call.session.flush()
    row.uuid = identify("return", row.id)
    for line_id in sorted(set(body["order_items"])):
        line = lines.get(line_id)
        if line is None:
            raise invalid("order_items", f"order {order.id} has no item {line_id}")
        if line.status != "sold":
            raise conflict("already_returned", f"item {line_id} is {line.status}", "order_items")
        line.status = "return_requested"
        call.session.add(
            ReturnItem(
                return_id=row.id,
                order_item_id=line.id,
                item_id=line.item_id,
                refund_cents=line.price_cents - line.discount_cents,
            )
        )
    call.session.flush()
    return represent(call.session, row)


@blueprint.post("/api/returns/<int:return_id>/receive")
@endpoint(access=Access.STAFF, body=ReceiveBody)
def receive(call: Call, return_id: int) -> dict[str, Any]:
    row = lock_return(call.session, return_id)
    if row.status != "requested":
        raise conflict("wrong_status", f"return {return_id} is {row.status}, not requested")
    parts = list(call.session.scalars(select(ReturnItem).where(ReturnItem.return_id == return_id)))
    wanted = {part.item_id for part in parts} if call.body["restock"] is None else set(call.body["restock"])
    strangers = wanted - {part.item_id for part in parts}
    if strangers:
        raise invalid("restock", f"return {return_id} has no item {min(strangers)}")
    stock = {each.item_id: each for each in lock_stock(call.session, [part.item_id for part in parts])}
    for part in parts:
        each = stock[part.item_id]
        part.restocked = part.item_id in wanted
        each.sold_at = None
        if part.restocked:
            give_back([each])
        else:
            each.availability, each.reserved_by = "returned", None
    row.status, row.received_at = "received", utc_now()
    write_message(
        call.session, row.user_id, "return_received", f"return_received:{return_id}", {"return_id": return_id}
    )
    return represent(call.session, row)


@blueprint.post("/api/returns/<int:return_id>/refund")
@endpoint(access=Access.STAFF, own_transactions=True)
def refund(call: Call, return_id: int) -> dict[str, Any]:
    try:
        row = refund_return(call.service, return_id)
    except GatewayUnreachable as error:
        raise ApiError(503, "payment_unknown", "the payment gateway does not answer; repeat the request") from error
    return call.service.database.run(lambda session: represent(session, row))


@blueprint.post("/api/returns/<int:return_id>/reject")
@endpoint(access=Access.STAFF)
def reject(call: Call, return_id: int) -> dict[str, Any]:
    row = lock_return(call.session, return_id)
    if row.status != "requested":
        raise conflict("wrong_status", f"return {return_id} is {row.status}, not requested")
    row.status = "rejected"
    for part in call.session.scalars(select(ReturnItem).where(ReturnItem.return_id == return_id)):
        call.session.get_one(OrderItem, part.order_item_id).status = "sold"
    return represent(call.session, row)
