"""Giving money back: how it is split (pure), and the two transactions around the gateway's call."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from extracted.purchasing import money
from extracted.purchasing.clock import utc_now
from extracted.purchasing.credit.booking import book
from extracted.purchasing.messages.message import write_message
from extracted.purchasing.service import Service
from extracted.purchasing.tables import Order, OrderItem, Payment, Refund, Return, ReturnItem
from extracted.purchasing.tables.base import touch
from extracted.purchasing.web.errors import conflict, not_found

#: Where a process may die: after the transaction, or the gateway's answer, of that name.
POINTS = ("refund_begun", "refunded", "refund_finished")


def split(cents: int, card_left: int, to: str) -> tuple[int, int]:
    """(to the card, to store credit). The card never gets back more than it paid; the rest is store credit."""
    card = 0 if to == "store_credit" else min(cents, card_left)
    return card, cents - card


def begin_refund(session: Session, return_id: int) -> tuple[Refund, str | None]:
    """The refund's row, pending, and the charge to refund (None: no card involved). Repeatable."""
    row = lock_return(session, return_id)
    # two returns of one order share what its card has paid
    session.execute(select(Order.id).where(Order.id == row.order_id).with_for_update())
    refund = session.scalar(select(Refund).where(Refund.return_id == return_id))
    payment = session.scalar(select(Payment).where(Payment.order_id == row.order_id))
    if refund is None:
        if row.status != "received":
            raise conflict("wrong_status", f"return {return_id} is {row.status}, not received")
        amount = session.scalar(select(func.sum(ReturnItem.refund_cents)).where(ReturnItem.return_id == return_id))
        card, credit = split(int(amount or 0), _card_left(session, row.order_id, payment), row.refund_to)
        refund = Refund(
            return_id=return_id,
            order_id=row.order_id,
            payment_id=payment.id if payment else None,
            card_cents=card,
            credit_cents=credit,
            gateway_key=f"return-{return_id}",
        )
        session.add(refund)
    elif refund.status == "pending":
        touch(refund)
    session.flush()
    charge_id = payment.charge_id if payment and refund.card_cents > 0 else None
    return refund, charge_id


def finish_refund(session: Session, return_id: int, gateway_refund_id: str | None) -> Return:
    """Books what was given back; does nothing if that was done before."""
    row = lock_return(session, return_id)
    refund = session.scalars(select(Refund).where(Refund.return_id == return_id)).one()
    if refund.status == "done":
        return row
    refund.status, refund.gateway_refund_id = "done", gateway_refund_id
    row.status, row.refunded_at = "refunded", utc_now()
    if refund.card_cents > 0:
        payment = session.get_one(Payment, refund.payment_id)
        left = _card_left(session, row.order_id, payment)
        payment.status = "refunded" if left == 0 else "partly_refunded"
    if refund.credit_cents > 0:
        book(session, row.user_id, refund.credit_cents, "refund", order_id=row.order_id)
    _close_order_items(session, row)
    told = {"return_id": return_id, "amount": money.text(refund.card_cents + refund.credit_cents)}
    write_message(session, row.user_id, "return_refunded", f"return_refunded:{return_id}", told)
    return row


def refund_return(service: Service, return_id: int) -> Return:
    """All three steps. Raises GatewayUnreachable between them; calling it again carries on."""
    refund, charge_id = service.database.run(lambda session: begin_refund(session, return_id))
    service.at("refund_begun")
    gateway_id = refund.gateway_refund_id
    if charge_id is not None and refund.status == "pending":
        gateway_id = service.gateway.refund(charge_id, refund.gateway_key, refund.card_cents)
    service.at("refunded")
    row = service.database.run(lambda session: finish_refund(session, return_id, gateway_id))
    service.at("refund_finished")
    return row


def lock_return(session: Session, return_id: int) -> Return:
    row = session.scalar(
        select(Return).where(Return.id == return_id).with_for_update().execution_options(populate_existing=True)
    )
    if row is None:
        raise not_found("return")
    return row


def _card_left(session: Session, order_id: int, payment: Payment | None) -> int:
    if payment is None:
        return 0
    given = session.scalar(select(func.sum(Refund.card_cents)).where(Refund.order_id == order_id))
    return payment.amount_cents - int(given or 0)


def _close_order_items(session: Session, row: Return) -> None:
    order = session.scalars(select(Order).where(Order.id == row.order_id).with_for_update()).one()
    lines = list(session.scalars(select(OrderItem).where(OrderItem.order_id == order.id)))
    back = set(session.scalars(select(ReturnItem.order_item_id).where(ReturnItem.return_id == row.id)))
    for line in lines:
        if line.id in back:
            line.status = "returned"
    order.status = "returned" if all(line.status == "returned" for line in lines) else "partly_returned"
