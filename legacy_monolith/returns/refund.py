"""Giving money back: how it is split (pure), and the two transactions around the gateway's call."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from legacy_monolith import money
from legacy_monolith.accounts.store_credit import Reason, book
from legacy_monolith.clock import shop_now
from legacy_monolith.models import Order, OrderItem, Payment, Refund, Return, ReturnItem, User
from legacy_monolith.money import ZERO
from legacy_monolith.notifications.message import write_message
from legacy_monolith.orders.vocabulary import OrderItemStatus, OrderStatus, PaymentStatus
from legacy_monolith.returns.vocabulary import RefundTo, ReturnStatus
from legacy_monolith.web.errors import conflict, not_found

if TYPE_CHECKING:
    from legacy_monolith.shop import Shop


def split(amount: Decimal, card_left: Decimal, to: RefundTo) -> tuple[Decimal, Decimal]:
    """(to the card, to store credit). The card never gets back more than it paid; the rest is store credit."""
    card = ZERO if to is RefundTo.STORE_CREDIT else min(amount, card_left)
    return card, amount - card


def begin_refund(session: Session, return_id: int) -> tuple[Refund, str | None]:
    """The refund's row, pending, and the charge to refund (None: no card involved). Repeatable."""
    row = lock_return(session, return_id)
    # two returns of one order share what its card has paid
    session.execute(select(Order.id).where(Order.id == row.order_id).with_for_update())
    refund = session.scalar(select(Refund).where(Refund.return_id == return_id))
    payment = session.scalar(select(Payment).where(Payment.order_id == row.order_id))
    if refund is None:
        if row.status != ReturnStatus.RECEIVED:
            raise conflict("wrong_status", f"return {return_id} is {ReturnStatus(row.status).word}, not received")
        amount = session.scalar(select(func.sum(ReturnItem.refund_amount)).where(ReturnItem.return_id == return_id))
        card, credit = split(amount or ZERO, _card_left(session, row.order_id, payment), RefundTo(row.refund_to))
        refund = Refund(
            return_id=return_id,
            order_id=row.order_id,
            payment_id=payment.id if payment else None,
            card_amount=card,
            credit_amount=credit,
            status=0,
            gateway_key=f"return-{return_id}",
        )
        session.add(refund)
        session.flush()
    charge_id = payment.gateway_charge_id if payment and refund.card_amount > 0 else None
    return refund, charge_id


def finish_refund(session: Session, return_id: int, gateway_refund_id: str | None) -> tuple[Return, int | None]:
    """Books what was given back; does nothing if that was done before. Also says which mail now waits."""
    row = lock_return(session, return_id)
    refund = session.scalars(select(Refund).where(Refund.return_id == return_id)).one()
    if refund.status == 1:
        return row, None
    refund.status, refund.gateway_refund_id = 1, gateway_refund_id
    row.status, row.refunded_at = int(ReturnStatus.REFUNDED), shop_now()
    if refund.card_amount > 0:
        payment = session.get_one(Payment, refund.payment_id)
        left = _card_left(session, row.order_id, payment)
        payment.status = int(PaymentStatus.REFUNDED if left == 0 else PaymentStatus.PARTLY_REFUNDED)
    if refund.credit_amount > 0:
        book(session, row.user_id, refund.credit_amount, Reason.REFUND, order_id=row.order_id)
    _close_order_items(session, row)
    buyer = session.get_one(User, row.user_id)
    told = {"return_id": return_id, "amount": money.text(refund.card_amount + refund.credit_amount)}
    return row, write_message(session, buyer, "return_refunded", f"return_refunded:{return_id}", told)


def refund_return(shop: Shop, return_id: int) -> tuple[Return, int | None]:
    """All three steps. Raises GatewayUnreachable between them; calling it again carries on."""
    refund, charge_id = shop.database.run(lambda session: begin_refund(session, return_id))
    gateway_id = refund.gateway_refund_id
    if charge_id is not None and refund.status == 0:
        gateway_id = shop.gateway.refund(charge_id, refund.gateway_key, refund.card_amount)
    return shop.database.run(lambda session: finish_refund(session, return_id, gateway_id))


def lock_return(session: Session, return_id: int) -> Return:
    row = session.scalar(
        select(Return).where(Return.id == return_id).with_for_update().execution_options(populate_existing=True)
    )
    if row is None:
        raise not_found("return")
    return row


def _card_left(session: Session, order_id: int, payment: Payment | None) -> Decimal:
    if payment is None:
        return ZERO
    given = session.scalar(select(func.sum(Refund.card_amount)).where(Refund.order_id == order_id))
    return payment.amount - (given or ZERO)


def _close_order_items(session: Session, row: Return) -> None:
    order = session.scalars(select(Order).where(Order.id == row.order_id).with_for_update()).one()
    lines = list(session.scalars(select(OrderItem).where(OrderItem.order_id == order.id)))
    back = set(session.scalars(select(ReturnItem.order_item_id).where(ReturnItem.return_id == row.id)))
    for line in lines:
        if line.id in back:
            line.status = int(OrderItemStatus.RETURNED)
    every = all(line.status == OrderItemStatus.RETURNED for line in lines)
    order.status = int(OrderStatus.RETURNED if every else OrderStatus.PARTLY_RETURNED)
