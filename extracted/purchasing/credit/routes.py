"""The account's store credit, and staff giving some."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from flask import Blueprint
from marshmallow import Schema, fields, validate
from sqlalchemy import select

from extracted.purchasing import money
from extracted.purchasing.clock import shop_time
from extracted.purchasing.credit.booking import book
from extracted.purchasing.tables import CreditBalance, CreditEntry
from extracted.purchasing.web.endpoint import Access, Call, endpoint
from extracted.purchasing.web.errors import not_found
from extracted.purchasing.web.late import Missing
from extracted.purchasing.web.paging import PageQuery, window

blueprint = Blueprint("credit", __name__)


class Gift(Schema):
    amount = fields.Decimal(places=2, required=True, validate=validate.Range(money.CENT, Decimal("10000")))
    note = fields.String(load_default=None, allow_none=True, validate=validate.Length(max=200))


def balance_of(call: Call) -> int:
    """Zero for an account that is so new that our copy does not have its row."""
    row = call.session.get(CreditBalance, call.user.id)
    return 0 if row is None else row.balance_cents


@blueprint.get("/api/store-credit")
@endpoint(query=PageQuery)
def store_credit(call: Call) -> dict[str, Any]:
    limit, offset = window(call.query)
    rows = call.session.scalars(
        select(CreditEntry)
        .where(CreditEntry.user_id == call.user.id)
        .order_by(CreditEntry.id.desc())
        .limit(limit)
        .offset(offset)
    )
    return {
        "balance": money.text(balance_of(call)),
        "entries": [
            {
                "id": row.id,
                "amount": money.text(row.amount_cents),
                "balance_after": money.text(row.balance_after_cents),
                "reason": row.reason,
                "order_id": row.order_id,
                "bag_id": row.bag_id,
                "note": row.note,
                "created_at": shop_time(row.created_at),
            }
            for row in rows
        ],
    }


@blueprint.post("/api/users/<int:user_id>/store-credit")
@endpoint(access=Access.STAFF, body=Gift, status=201)
def give(call: Call, user_id: int) -> dict[str, Any]:
    if call.session.get(CreditBalance, user_id) is None:
        raise Missing(not_found("user"), lambda: None)
    balance = book(call.session, user_id, money.cents(call.body["amount"]), "gift", note=call.body["note"])
    return {"user_id": user_id, "balance": money.text(balance)}
