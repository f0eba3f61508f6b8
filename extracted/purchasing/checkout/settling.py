"""Charging, and what follows from the gateway's answer. Used by requests and by the job."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from extracted.purchasing import money
from extracted.purchasing.checkout.reservation import give_back, lock_stock, sell
from extracted.purchasing.checkout.totals import of_lines
from extracted.purchasing.clock import utc_now
from extracted.purchasing.credit.booking import book
from extracted.purchasing.gateway import Charge
from extracted.purchasing.messages.message import write_message
from extracted.purchasing.promotions.storage import release
from extracted.purchasing.service import Service
from extracted.purchasing.tables import Order, OrderItem, Payment


def charge(service: Service, payment: Payment | None) -> Charge | None:
    """What the gateway says; None if there is nothing to pay. Repeatable: the key is the order's.

    Raises GatewayUnreachable.
    """
    if payment is None:
        return None
    return service.gateway.charge(payment.gateway_key, payment.amount_cents, payment.source)


def settle(session: Session, order_id: int, answer: Charge | None) -> Order:
    """Sold if paid, given back if not; does nothing if that was done before."""
    order = session.scalars(
        select(Order).where(Order.id == order_id).with_for_update().execution_options(populate_existing=True)
    ).one()
    if order.status != "pending":
        return order
    stock = lock_stock(session, list(session.scalars(select(OrderItem.item_id).where(OrderItem.order_id == order_id))))
    payment = session.scalar(select(Payment).where(Payment.order_id == order_id))
    if payment is not None and answer is not None:
        payment.status = "captured" if answer.captured else "declined"
        payment.charge_id, payment.error = answer.id, answer.reason
    if answer is None or answer.captured:
        sell(stock)
        order.status, order.paid_at = "paid", utc_now()
        told = {"order_id": order.id, "item_count": len(stock), "total": money.text(order.total_cents)}
        write_message(session, order.user_id, "order_paid", f"order_paid:{order.id}", told)
    else:
        give_back(stock)
        order.status, order.cancelled_at = "cancelled", utc_now()
        release(session, order.id)
        used = of_lines(order.totals).store_credit_used
        if used > 0:
            book(session, order.user_id, used, "given_back", order_id=order.id)
        told = {"order_id": order.id, "reason": answer.reason}
        write_message(session, order.user_id, "order_declined", f"order_declined:{order.id}", told)
    session.flush()
    return order
