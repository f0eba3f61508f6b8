"""Returns: the buyer asks, staff receive and refund."""

from __future__ import annotations

from typing import Any

from flask import Blueprint
from marshmallow import Schema, fields, validate
from sqlalchemy import select
from sqlalchemy.orm import Session

from legacy_monolith import money
from legacy_monolith.catalog.vocabulary import ItemStatus
from legacy_monolith.checkout.reservation import give_back, lock_items
from legacy_monolith.clock import iso, shop_now
from legacy_monolith.gateway.client import GatewayUnreachable
from legacy_monolith.models import Order, OrderItem, Refund, Return, ReturnItem, User
from legacy_monolith.notifications.message import tell
from legacy_monolith.orders.vocabulary import OrderItemStatus, OrderStatus
from legacy_monolith.returns.refund import lock_return, refund_return
from legacy_monolith.returns.vocabulary import RefundTo, ReturnStatus
from legacy_monolith.web.endpoint import Access, Call, endpoint
from legacy_monolith.web.errors import ApiError, conflict, invalid, not_found
from legacy_monolith.web.paging import PageQuery, window

blueprint = Blueprint("returns", __name__)

RETURNABLE = (OrderStatus.PAID, OrderStatus.SHIPPED, OrderStatus.DELIVERED, OrderStatus.PARTLY_RETURNED)


class ReturnBody(Schema):
    order_id = fields.Integer(required=True, strict=True)
    order_items = fields.List(fields.Integer(strict=True), required=True, validate=validate.Length(1, 50))
    reason = fields.String(required=True, validate=validate.Length(1, 300))
    refund_to = fields.String(load_default="card", validate=validate.OneOf(["card", "store_credit"]))


class ReceiveBody(Schema):
    restock = fields.List(fields.Integer(strict=True), load_default=None, allow_none=True)


def represent(session: Session, row: Return) -> dict[str, Any]:
    items = session.scalars(select(ReturnItem).where(ReturnItem.return_id == row.id).order_by(ReturnItem.id))
    refund = session.scalar(select(Refund).where(Refund.return_id == row.id))
    return {
        "id": row.id,
        "order_id": row.order_id,
        "status": ReturnStatus(row.status).word,
        "refund_to": RefundTo(row.refund_to).word,
        "reason": row.reason,
        "items": [
            {
                "order_item_id": each.order_item_id,
                "item_id": each.item_id,
                "refund_amount": money.text(each.refund_amount),
                "restocked": None if each.restock is None else each.restock == 1,
            }
            for each in items
        ],
        "refund": None
        if refund is None
        else {
            "status": "done" if refund.status == 1 else "pending",
            "card_amount": money.text(refund.card_amount),
            "credit_amount": money.text(refund.credit_amount),
            "gateway_refund_id": refund.gateway_refund_id,
        },
        "requested_at": iso(row.requested_at),
        "received_at": iso(row.received_at),
        "refunded_at": iso(row.refunded_at),
    }


@blueprint.get("/api/returns")
@endpoint("Returns, newest first", access=Access.USER, query=PageQuery, errors=(400, 401))
def returns(call: Call) -> dict[str, Any]:
    limit, offset = window(call.query)
    rows = call.session.scalars(
        select(Return).where(Return.user_id == call.user.id).order_by(Return.id.desc()).limit(limit).offset(offset)
    )
    return {"returns": [represent(call.session, row) for row in rows]}


@blueprint.get("/api/returns/<int:return_id>")
@endpoint("One return", access=Access.USER, errors=(401, 404))
def one(call: Call, return_id: int) -> dict[str, Any]:
    row = call.session.get(Return, return_id)
    if row is None or (row.user_id != call.user.id and call.user.role != 1):
        raise not_found("return")
    return represent(call.session, row)


@blueprint.post("/api/returns")
@endpoint("Ask to send items back", access=Access.USER, body=ReturnBody, status=201, errors=(400, 401, 404, 409))
def ask(call: Call) -> dict[str, Any]:
    body = call.body
    order = call.session.scalar(select(Order).where(Order.id == body["order_id"]).with_for_update())
    if order is None or order.user_id != call.user.id:
        raise not_found("order")
    if order.status not in RETURNABLE:
        raise conflict("wrong_status", f"order {order.id} is {OrderStatus(order.status).word}", "order_id")
    lines = {line.id: line for line in call.session.scalars(select(OrderItem).where(OrderItem.order_id == order.id))}
    row = Return(
        order_id=order.id,
        user_id=call.user.id,
        refund_to=int(RefundTo[body["refund_to"].upper()]),
        reason=body["reason"],
        requested_at=shop_now(),
    )
    call.session.add(row)
    call.session.flush()
    for line_id in sorted(set(body["order_items"])):
        line = lines.get(line_id)
        if line is None:
            raise invalid("order_items", f"order {order.id} has no item {line_id}")
        if line.status != OrderItemStatus.SOLD:
            raise conflict("already_returned", f"item {line_id} is {OrderItemStatus(line.status).word}", "order_items")
        line.status = int(OrderItemStatus.RETURN_REQUESTED)
        call.session.add(
            ReturnItem(
                return_id=row.id,
                order_item_id=line.id,
                item_id=line.item_id,
                refund_amount=line.price - line.discount,
            )
        )
    call.session.flush()
    return represent(call.session, row)


@blueprint.post("/api/returns/<int:return_id>/receive")
@endpoint(
    "Note that a return has arrived; items named in restock (all, if it is left out) are listed again",
    access=Access.STAFF,
    body=ReceiveBody,
    errors=(400, 401, 403, 404, 409),
)
def receive(call: Call, return_id: int) -> dict[str, Any]:
    row = lock_return(call.session, return_id)
    if row.status != ReturnStatus.REQUESTED:
        raise conflict("wrong_status", f"return {return_id} is {ReturnStatus(row.status).word}, not requested")
    parts = list(call.session.scalars(select(ReturnItem).where(ReturnItem.return_id == return_id)))
    wanted = {part.item_id for part in parts} if call.body["restock"] is None else set(call.body["restock"])
    strangers = wanted - {part.item_id for part in parts}
    if strangers:
        raise invalid("restock", f"return {return_id} has no item {min(strangers)}")
    items = {item.id: item for item in lock_items(call.session, [part.item_id for part in parts])}
    for part in parts:
        item = items[part.item_id]
        part.restock = int(part.item_id in wanted)
        item.sold_at = None
        if part.restock:
            give_back([item])
        else:
            item.status, item.reserved_by = int(ItemStatus.RETURNED), None
    row.status, row.received_at = int(ReturnStatus.RECEIVED), shop_now()
    buyer = call.session.get_one(User, row.user_id)
    tell(call, buyer, "return_received", f"return_received:{return_id}", {"return_id": return_id})
    call.session.flush()
    return represent(call.session, row)


@blueprint.post("/api/returns/<int:return_id>/refund")
@endpoint(
    "Give the money back; repeating it gives it back once",
    access=Access.STAFF,
    errors=(401, 403, 404, 409, 503),
    own_transactions=True,
)
def refund(call: Call, return_id: int) -> dict[str, Any]:
    try:
        row, mail_id = refund_return(call.shop, return_id)
    except GatewayUnreachable as error:
        raise ApiError(503, "payment_unknown", "the payment gateway does not answer; repeat the request") from error
    if mail_id is not None:
        call.after_commit(lambda: call.shop.queue.send_mail(mail_id))
    return call.shop.database.run(lambda session: represent(session, row))


@blueprint.post("/api/returns/<int:return_id>/reject")
@endpoint("Refuse a return", access=Access.STAFF, errors=(401, 403, 404, 409))
def reject(call: Call, return_id: int) -> dict[str, Any]:
    row = lock_return(call.session, return_id)
    if row.status != ReturnStatus.REQUESTED:
        raise conflict("wrong_status", f"return {return_id} is {ReturnStatus(row.status).word}, not requested")
    row.status = int(ReturnStatus.REJECTED)
    for part in call.session.scalars(select(ReturnItem).where(ReturnItem.return_id == return_id)):
        call.session.get_one(OrderItem, part.order_item_id).status = int(OrderItemStatus.SOLD)
    return represent(call.session, row)
