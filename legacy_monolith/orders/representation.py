"""Orders as the API says them."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from legacy_monolith import money
from legacy_monolith.catalog.vocabulary import pieces
from legacy_monolith.clock import iso
from legacy_monolith.models import Order, OrderDiscount, OrderItem, Payment
from legacy_monolith.orders.vocabulary import OrderItemStatus, OrderStatus, PaymentStatus
from legacy_monolith.promotions.rules import Kind


def order_line(order: Order) -> dict[str, Any]:
    """An order in a list."""
    return {
        "id": order.id,
        "status": OrderStatus(order.status).word,
        "total": money.text(order.total),
        "placed_at": iso(order.placed_at),
    }


def full_order(session: Session, order: Order) -> dict[str, Any]:
    """An order with its items, discounts and payment."""
    items = session.scalars(select(OrderItem).where(OrderItem.order_id == order.id).order_by(OrderItem.id))
    discounts = session.scalars(
        select(OrderDiscount).where(OrderDiscount.order_id == order.id).order_by(OrderDiscount.id)
    )
    payment = session.scalar(select(Payment).where(Payment.order_id == order.id))
    return {
        "id": order.id,
        "status": OrderStatus(order.status).word,
        "items": [
            {
                "id": row.id,
                "item_id": row.item_id,
                "title": row.title,
                "price": money.text(row.price),
                "discount": money.text(row.discount),
                "status": OrderItemStatus(row.status).word,
            }
            for row in items
        ],
        "discounts": [
            {"code": row.code, "kind": Kind(row.kind).word, "amount": money.text(row.amount)} for row in discounts
        ],
        "subtotal": money.text(order.subtotal),
        "discount": money.text(order.discount),
        "shipping": money.text(order.shipping),
        "total": money.text(order.total),
        "store_credit_used": money.text(order.store_credit_used),
        "promo_codes": pieces(order.promo_codes),
        "payment": None
        if payment is None
        else {
            "status": PaymentStatus(payment.status).word,
            "amount": money.text(payment.amount),
            "charge_id": payment.gateway_charge_id,
            "error": payment.error,
        },
        "ship_to": order.ship_to.split("\n"),
        "placed_at": iso(order.placed_at),
        "paid_at": iso(order.paid_at),
        "shipped_at": iso(order.shipped_at),
        "delivered_at": iso(order.delivered_at),
        "cancelled_at": iso(order.cancelled_at),
    }
