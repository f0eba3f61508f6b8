"""Orders whose request died between placing and settling."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from legacy_monolith.checkout.settling import settle
from legacy_monolith.clock import shop_now
from legacy_monolith.gateway.client import Charge
from legacy_monolith.jobs.context import current_shop
from legacy_monolith.models import Order, Payment
from legacy_monolith.orders.vocabulary import OrderStatus

#: Longer than the gateway's time limit: until then the request itself is at work.
AFTER_SECONDS = 60
NOT_PAID = Charge(None, False, "not paid in time")


def settle_pending(after_seconds: int = AFTER_SECONDS) -> int:
    """Sold if the gateway has the money, given back if not (the key is voided first, so it can't be charged later)."""
    shop = current_shop()

    def late(session: Session) -> list[tuple[int, Payment | None]]:
        rows = session.execute(
            select(Order.id, Payment)
            .outerjoin(Payment, Payment.order_id == Order.id)
            .where(
                Order.status == int(OrderStatus.PENDING),
                Order.created_at < shop_now() - timedelta(seconds=after_seconds),
            )
            .order_by(Order.id)
            .limit(100)
        )
        return [(order_id, payment) for order_id, payment in rows]

    orders = shop.database.run(late)
    for order_id, payment in orders:
        answer = None if payment is None else shop.gateway.void(payment.gateway_key) or NOT_PAID
        shop.database.run(lambda session, order_id=order_id, answer=answer: settle(session, order_id, answer))
    return len(orders)
