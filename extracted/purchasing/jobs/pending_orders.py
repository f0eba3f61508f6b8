"""Orders and refunds whose request died between two steps."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from extracted.purchasing.checkout.settling import settle
from extracted.purchasing.clock import utc_now
from extracted.purchasing.gateway import Charge
from extracted.purchasing.returns.refund import refund_return
from extracted.purchasing.service import Service
from extracted.purchasing.tables import Order, Payment, Refund
from extracted.purchasing.tables.base import touch

#: Longer than the gateway's time limit: until then the request itself is at work.
AFTER_SECONDS = 60
NOT_PAID = Charge(None, False, "not paid in time")
BATCH = 100


def settle_pending(service: Service, after_seconds: int = AFTER_SECONDS) -> int:
    """Sold if the gateway has the money, given back if not (the key is voided first, so it can't be charged later).

    Returns how many. Raises NotOwner (then the gateway was not asked) and GatewayUnreachable.
    """
    before = utc_now() - timedelta(seconds=after_seconds)

    def late(session: Session) -> list[int]:
        return list(
            session.scalars(
                select(Order.id)
                .where(Order.status == "pending", Order.created_at < before)
                .order_by(Order.id)
                .limit(BATCH)
            )
        )

    ids = service.database.run(late)
    for order_id in ids:
        payment = service.database.run(lambda session, order_id=order_id: _claim(session, order_id))
        answer = None if payment is None else service.gateway.void(payment.gateway_key) or NOT_PAID
        service.database.run(lambda session, order_id=order_id, answer=answer: settle(session, order_id, answer))
    return len(ids)


def finish_refunds(service: Service, after_seconds: int = AFTER_SECONDS) -> int:
    """Refunds that were begun and not finished. Returns how many. Raises NotOwner and GatewayUnreachable."""
    before = utc_now() - timedelta(seconds=after_seconds)

    def late(session: Session) -> list[int]:
        return list(
            session.scalars(
                select(Refund.return_id)
                .where(Refund.status == "pending", Refund.updated_at < before)
                .order_by(Refund.id)
                .limit(BATCH)
            )
        )

    ids = service.database.run(late)
    for return_id in ids:
        refund_return(service, return_id)
    return len(ids)


def _claim(session: Session, order_id: int) -> Payment | None:
    """A write before the gateway is asked: if this side is not the owner, the database refuses it here."""
    order = session.scalars(select(Order).where(Order.id == order_id).with_for_update()).one()
    touch(order)
    session.flush()
    return session.scalar(select(Payment).where(Payment.order_id == order_id))
