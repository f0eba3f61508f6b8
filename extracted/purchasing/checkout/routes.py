"""Quote, reservation, checkout."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, request
from marshmallow import Schema, fields, validate

from extracted.purchasing.cart.content import Content, line_of, read_content
from extracted.purchasing.cart.tree import read_parents
from extracted.purchasing.checkout import totals as totals_of
from extracted.purchasing.checkout.idempotency import check_key, fingerprint
from extracted.purchasing.checkout.placing import Wish
from extracted.purchasing.checkout.purchase import purchase
from extracted.purchasing.checkout.reservation import reserve
from extracted.purchasing.clock import shop_time, utc_now
from extracted.purchasing.credit.routes import balance_of
from extracted.purchasing.promotions.rules import Refusal, apply_codes
from extracted.purchasing.promotions.storage import read_rules, uses_of
from extracted.purchasing.web.answer import Reply
from extracted.purchasing.web.endpoint import Call, endpoint
from extracted.purchasing.web.errors import conflict

blueprint = Blueprint("checkout", __name__)


class QuoteBody(Schema):
    use_store_credit = fields.Boolean(load_default=False)


class CheckoutBody(Schema):
    payment_source = fields.String(required=True, validate=validate.Length(1, 60))
    address_id = fields.Integer(load_default=None, allow_none=True)
    use_store_credit = fields.Boolean(load_default=False)
    expected_total = fields.Decimal(places=2, load_default=None, allow_none=True)


@blueprint.post("/api/checkout/quote")
@endpoint(body=QuoteBody)
def quote(call: Call) -> dict[str, Any]:
    content = read_content(call.session, call.user.id)
    parents = read_parents(call.session)
    lines = [
        line_of(row.id, row.price_cents, row.brand_id, row.category_id, parents)
        for row in content.rows
        if content.available(row)
    ]
    rules = read_rules(call.session, content.codes)
    outcome = apply_codes(lines, rules, uses_of(call.session, call.user.id, rules), utc_now())
    credit = balance_of(call) if call.body["use_store_credit"] else 0
    answer = totals_of.represent(totals_of.add_up(lines, outcome, credit), outcome)
    gone = _unknown(content, {rule.code for rule in rules})
    answer["refused_codes"] += [{"code": each.code, "reason": each.reason, "message": each.message} for each in gone]
    answer["unavailable_items"] = [row.id for row in content.rows if not content.available(row)]
    return answer


def _unknown(content: Content, known: set[str]) -> list[Refusal]:
    return [Refusal(code, "unknown", f"there is no code {code}") for code in content.codes if code not in known]


@blueprint.post("/api/checkout/reservation")
@endpoint(status=201)
def keep(call: Call) -> dict[str, Any]:
    content = read_content(call.session, call.user.id)
    if not content.rows:
        raise conflict("cart_empty", "there is nothing in the cart")
    stock = reserve(
        call.session, call.user.id, [row.id for row in content.rows], call.service.settings.reservation_minutes
    )
    return {"items": [row.item_id for row in stock], "reserved_until": shop_time(stock[0].reserved_until)}


@blueprint.post("/api/checkout")
@endpoint(body=CheckoutBody, status=201, own_transactions=True)
def checkout(call: Call) -> Reply:
    key = check_key(request.headers.get("Idempotency-Key"))
    return purchase(call.service, call.user.id, key, fingerprint(call.body), Wish(**call.body), call.asker)
