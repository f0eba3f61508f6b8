"""One purchase under one Idempotency-Key, from its first step or from wherever it stopped."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from extracted.purchasing.checkout.idempotency import lock, register
from extracted.purchasing.checkout.placing import Wish, place
from extracted.purchasing.checkout.settling import charge, settle
from extracted.purchasing.gateway import Charge, GatewayUnreachable
from extracted.purchasing.orders.representation import full_order
from extracted.purchasing.service import Service
from extracted.purchasing.tables import Order, Payment, PurchaseKey
from extracted.purchasing.web.answer import Reply, to_json
from extracted.purchasing.web.errors import ApiError

#: Where a process may die: after the transaction, or the gateway's answer, of that name.
POINTS = ("registered", "placed", "charged", "settled")


def purchase(service: Service, user_id: int, key: str, request_hash: str, wish: Wish, asker: dict[str, str]) -> Reply:
    """Raises ApiError, and Missing (see ``place``); 503 ``payment_unknown`` leaves a pending order for the same key."""
    database = service.database
    database.run(lambda session: register(session, user_id, key, request_hash))
    service.at("registered")

    def placing(session: Session) -> tuple[Reply | None, int, Payment | None]:
        row = lock(session, user_id, key, request_hash)
        if row.response_body is not None:
            return _replay(row), 0, None
        if row.order_id is None:
            row.order_id = place(session, service, user_id, wish, asker).id
        return None, row.order_id, session.scalar(select(Payment).where(Payment.order_id == row.order_id))

    replay, order_id, payment = database.run(placing)
    if replay is not None:
        return replay
    service.at("placed")
    answer = _charged(service, payment)
    service.at("charged")

    def settling(session: Session) -> Reply:
        row = lock(session, user_id, key, request_hash)
        if row.response_body is None:
            status, body = _answer(session, settle(session, order_id, answer))
            row.response_status, row.response_body = status, to_json(body)
        return _replay(row)

    reply = database.run(settling)
    service.at("settled")
    return reply


def _replay(row: PurchaseKey) -> Reply:
    return Reply(text=row.response_body, status=row.response_status)


def _charged(service: Service, payment: Payment | None) -> Charge | None:
    try:
        return charge(service, payment)
    except GatewayUnreachable as error:
        raise ApiError(
            503,
            "payment_unknown",
            "the payment gateway does not answer; repeat the request with the same Idempotency-Key",
        ) from error


def _answer(session: Session, order: Order) -> tuple[int, dict[str, Any]]:
    body = full_order(session, order)
    if order.status == "cancelled":
        reason = (body["payment"] or {}).get("error") or "not paid in time"
        error = {"code": "payment_declined", "message": f"the card was declined: {reason}", "field": "payment_source"}
        return 402, {"error": error, "order": body}
    return 201, {"order": body}
