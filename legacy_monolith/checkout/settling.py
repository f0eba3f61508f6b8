"""The second and third step: charging, and what follows from the gateway's answer. Used by requests and by the job."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select
from sqlalchemy.orm import Session

from legacy_monolith import money
from legacy_monolith.accounts.store_credit import Reason, book
from legacy_monolith.checkout.reservation import give_back, lock_items, sell
from legacy_monolith.clock import shop_now
from legacy_monolith.gateway.client import Charge
from legacy_monolith.models import Order, OrderItem, Payment, User
from legacy_monolith.notifications.message import write_message
from legacy_monolith.orders.vocabulary import OrderStatus, PaymentStatus
from legacy_monolith.promotions.storage import release

if TYPE_CHECKING:
    from legacy_monolith.shop import Shop


def charge(shop: Shop, payment: Payment | None) -> Charge | None:
    """What the gateway says; None if there is nothing to pay. Repeatable: the key is the order's.

    Raises GatewayUnreachable.
    """
    if payment is None:
        return None
    return shop.gateway.charge(payment.gateway_key, payment.amount, payment.source)


def settle(session: Session, order_id: int, answer: Charge | None) -> tuple[Order, int | None]:
    """Sold if paid, given back if not; does nothing if that was done before. Also says which mail now waits."""
    order = session.scalars(
        select(Order).where(Order.id == order_id).with_for_update().execution_options(populate_existing=True)
    ).one()
    if order.status != OrderStatus.PENDING:
        return order, None
    item_ids = list(session.scalars(select(OrderItem.item_id).where(OrderItem.order_id == order_id)))
    items = lock_items(session, item_ids)
    payment = session.scalar(select(Payment).where(Payment.order_id == order_id))
    buyer = session.get_one(User, order.user_id)
    if payment is not None and answer is not None:
        payment.status = int(PaymentStatus.CAPTURED if answer.captured else PaymentStatus.DECLINED)
        payment.gateway_charge_id, payment.error = answer.id, answer.reason
    if answer is None or answer.captured:
        sell(items)
        order.status, order.paid_at = int(OrderStatus.PAID), shop_now()
        told = {"order_id": order.id, "item_count": len(items), "total": money.text(order.total)}
        mail_id = write_message(session, buyer, "order_paid", f"order_paid:{order.id}", told)
    else:
        give_back(items)
        order.status, order.cancelled_at = int(OrderStatus.CANCELLED), shop_now()
        release(session, order.id)
        if order.store_credit_used > 0:
            book(session, order.user_id, order.store_credit_used, Reason.GIVEN_BACK, order_id=order.id)
        told = {"order_id": order.id, "reason": answer.reason}
        mail_id = write_message(session, buyer, "order_declined", f"order_declined:{order.id}", told)
    session.flush()
    return order, mail_id
