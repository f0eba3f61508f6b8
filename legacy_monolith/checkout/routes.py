"""Quote, reservation, checkout."""

from __future__ import annotations

import json
from typing import Any

from flask import Blueprint, request
from marshmallow import Schema, fields, validate
from sqlalchemy import select
from sqlalchemy.orm import Session

from legacy_monolith.cart.content import line_of, read_content
from legacy_monolith.catalog.tree import read_tree
from legacy_monolith.checkout import totals as totals_of
from legacy_monolith.checkout.idempotency import check_key, fingerprint, lock, register
from legacy_monolith.checkout.placing import Wish, place
from legacy_monolith.checkout.reservation import reserve
from legacy_monolith.checkout.settling import charge, settle
from legacy_monolith.clock import iso, shop_now
from legacy_monolith.gateway.client import Charge, GatewayUnreachable
from legacy_monolith.models import Order, Payment
from legacy_monolith.money import ZERO
from legacy_monolith.orders.representation import full_order
from legacy_monolith.orders.vocabulary import OrderStatus
from legacy_monolith.promotions.rules import Refusal, apply_codes
from legacy_monolith.promotions.storage import read_rules, uses_of
from legacy_monolith.web.answer import Reply, to_json
from legacy_monolith.web.endpoint import Access, Call, endpoint
from legacy_monolith.web.errors import ApiError, conflict

blueprint = Blueprint("checkout", __name__)


class QuoteBody(Schema):
    use_store_credit = fields.Boolean(load_default=False)


class CheckoutBody(Schema):
    payment_source = fields.String(required=True, validate=validate.Length(1, 60))
    address_id = fields.Integer(load_default=None, allow_none=True)
    use_store_credit = fields.Boolean(load_default=False)
    expected_total = fields.Decimal(places=2, load_default=None, allow_none=True)


@blueprint.post("/api/checkout/quote")
@endpoint("What the cart would cost; changes nothing", access=Access.USER, body=QuoteBody, errors=(400, 401))
def quote(call: Call) -> dict[str, Any]:
    content = read_content(call.session, call.user.id)
    tree = read_tree(call.session)
    lines = [
        line_of(row.id, row.price, row.brand_id, row.category_id, tree)
        for row in content.rows
        if content.available(row)
    ]
    rules = read_rules(call.session, content.codes)
    outcome = apply_codes(lines, rules, uses_of(call.session, call.user.id, rules), shop_now())
    known = {rule.code for rule in rules}
    gone = tuple(Refusal(code, "unknown", f"there is no code {code}") for code in content.codes if code not in known)
    credit = call.user.store_credit if call.body["use_store_credit"] else ZERO
    answer = totals_of.represent(totals_of.add_up(lines, outcome, credit), outcome)
    answer["refused_codes"] += [{"code": each.code, "reason": each.reason, "message": each.message} for each in gone]
    answer["unavailable_items"] = [row.id for row in content.rows if not content.available(row)]
    return answer


@blueprint.post("/api/checkout/reservation")
@endpoint("Keep everything in the cart for a while", access=Access.USER, status=201, errors=(401, 409))
def keep(call: Call) -> dict[str, Any]:
    content = read_content(call.session, call.user.id)
    if not content.rows:
        raise conflict("cart_empty", "there is nothing in the cart")
    ids = [row.id for row in content.rows]
    items = reserve(call.session, call.user.id, ids, call.shop.settings.reservation_minutes)
    return {"items": [item.id for item in items], "reserved_until": iso(items[0].reserved_until)}


@blueprint.post("/api/checkout")
@endpoint(
    "Buy what is in the cart; needs the header Idempotency-Key, and answers the same to the same key",
    access=Access.USER,
    body=CheckoutBody,
    parameters=(
        {
            "in": "header",
            "name": "Idempotency-Key",
            "required": True,
            "schema": {"type": "string", "maxLength": 100},
            "description": "one per purchase; repeat it to repeat the request",
        },
    ),
    status=201,
    errors=(400, 401, 402, 409, 503),
    own_transactions=True,
)
def checkout(call: Call) -> Reply:
    key, user_id = check_key(request.headers.get("Idempotency-Key")), call.user.id
    request_hash = fingerprint(call.body)
    database = call.shop.database
    database.run(lambda session: register(session, user_id, key, request_hash))

    def placing(session: Session) -> tuple[Reply | None, int, Payment | None]:
        row = lock(session, user_id, key, request_hash)
        if row.response_body is not None:
            return Reply(json.loads(row.response_body), row.response_status), 0, None
        if row.order_id is None:
            row.order_id = place(session, user_id, Wish(**call.body), call.shop.settings.reservation_minutes).id
        return None, row.order_id, session.scalar(select(Payment).where(Payment.order_id == row.order_id))

    replay, order_id, payment = database.run(placing)
    if replay is not None:
        return replay
    answer = _charged(call, payment)

    def settling(session: Session) -> tuple[Reply, int | None]:
        row = lock(session, user_id, key, request_hash)
        if row.response_body is not None:
            return Reply(json.loads(row.response_body), row.response_status), None
        order, mail_id = settle(session, order_id, answer)
        reply = _reply(session, order)
        row.response_status, row.response_body = reply.status, to_json(reply.body)
        return reply, mail_id

    reply, mail_id = database.run(settling)
    if mail_id is not None:
        call.after_commit(lambda: call.shop.queue.send_mail(mail_id))
    return reply


def _charged(call: Call, payment: Payment | None) -> Charge | None:
    try:
        return charge(call.shop, payment)
    except GatewayUnreachable as error:
        raise ApiError(
            503,
            "payment_unknown",
            "the payment gateway does not answer; repeat the request with the same Idempotency-Key",
        ) from error


def _reply(session: Session, order: Order) -> Reply:
    body = full_order(session, order)
    if order.status == OrderStatus.CANCELLED:
        reason = (body["payment"] or {}).get("error") or "not paid in time"
        error = {"code": "payment_declined", "message": f"the card was declined: {reason}", "field": "payment_source"}
        return Reply({"error": error, "order": body}, 402)
    return Reply({"order": body}, 201)
