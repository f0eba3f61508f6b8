"""Store credit: a balance with the user, and the bookings that explain it."""

from __future__ import annotations

from decimal import Decimal
from enum import IntEnum
from typing import Any

from flask import Blueprint
from marshmallow import Schema, fields, validate
from sqlalchemy import select
from sqlalchemy.orm import Session

from legacy_monolith import money
from legacy_monolith.clock import iso
from legacy_monolith.models import StoreCreditEntry, User
from legacy_monolith.web.endpoint import Access, Call, endpoint
from legacy_monolith.web.errors import conflict, not_found
from legacy_monolith.web.paging import PageQuery, window

blueprint = Blueprint("store_credit", __name__)


class Reason(IntEnum):
    """Why a balance changed."""

    SPENT = 1
    GIVEN_BACK = 2
    REFUND = 3
    BAG_PAYOUT = 4
    GIFT = 5


class Gift(Schema):
    amount = fields.Decimal(places=2, required=True, validate=validate.Range(money.CENT, Decimal("10000")))
    note = fields.String(load_default=None, allow_none=True, validate=validate.Length(max=200))


def book(
    session: Session,
    user_id: int,
    amount: Decimal,
    reason: Reason,
    *,
    order_id: int | None = None,
    bag_id: int | None = None,
    note: str | None = None,
) -> Decimal:
    """Changes the balance under a row lock and writes the booking; returns the new balance. Raises 409 below zero."""
    user = session.scalar(
        select(User).where(User.id == user_id).with_for_update().execution_options(populate_existing=True)
    )
    if user is None:
        raise not_found("user")
    balance = user.store_credit + amount
    if balance < 0:
        raise conflict("not_enough_credit", "there is not that much store credit")
    user.store_credit = balance
    session.add(
        StoreCreditEntry(
            user_id=user_id,
            amount=amount,
            balance_after=balance,
            reason=int(reason),
            order_id=order_id,
            bag_id=bag_id,
            note=note,
        )
    )
    session.flush()
    return balance


@blueprint.get("/api/store-credit")
@endpoint("Balance and bookings, newest first", access=Access.USER, query=PageQuery, errors=(400, 401))
def store_credit(call: Call) -> dict[str, Any]:
    limit, offset = window(call.query)
    rows = call.session.scalars(
        select(StoreCreditEntry)
        .where(StoreCreditEntry.user_id == call.user.id)
        .order_by(StoreCreditEntry.id.desc())
        .limit(limit)
        .offset(offset)
    )
    return {
        "balance": money.text(call.user.store_credit),
        "entries": [
            {
                "id": row.id,
                "amount": money.text(row.amount),
                "balance_after": money.text(row.balance_after),
                "reason": Reason(row.reason).name.lower(),
                "order_id": row.order_id,
                "bag_id": row.bag_id,
                "note": row.note,
                "created_at": iso(row.created_at),
            }
            for row in rows
        ],
    }


@blueprint.post("/api/users/<int:user_id>/store-credit")
@endpoint("Give store credit", access=Access.STAFF, body=Gift, status=201, errors=(400, 401, 403, 404))
def give(call: Call, user_id: int) -> dict[str, Any]:
    balance = book(call.session, user_id, call.body["amount"], Reason.GIFT, note=call.body["note"])
    return {"user_id": user_id, "balance": money.text(balance)}
