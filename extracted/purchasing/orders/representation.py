"""Orders as the API says them. The order of the keys is part of the API."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from extracted.purchasing import money
from extracted.purchasing.cart.card import pieces
from extracted.purchasing.checkout.totals import of_lines
from extracted.purchasing.clock import shop_time
from extracted.purchasing.tables import Order, OrderDiscount, OrderItem, Payment


def order_line(order: Order) -> dict[str, Any]:
    """An order in a list."""
    return {
        "id": order.id,
        "status": order.status,
        "total": money.text(order.total_cents),
        "placed_at": shop_time(order.placed_at),
    }


def full_order(session: Session, order: Order) -> dict[str, Any]:
    """An order with its items, discounts and payment."""
    items = session.scalars(select(OrderItem).where(OrderItem.order_id == order.id).order_by(OrderItem.id))
    discounts = session.scalars(
        select(OrderDiscount).where(OrderDiscount.order_id == order.id).order_by(OrderDiscount.id)
    )
    payment = session.scalar(select(Payment).where(Payment.order_id == order.id))
    totals = of_lines(order.totals)
    return {
        "id": order.id,
        "status": order.status,
        "items": [
            {
                "id": row.id,
                "item_id": row.item_id,
                "title": row.title,
                "price": money.text(row.price_cents),
                "discount": money.text(row.discount_cents),
                "status": row.status,
            }
            for row in items
        ],
        "discounts": [
            {"code": row.code, "kind": row.kind, "amount": money.text(row.amount_cents)} for row in discounts
        ],
        "subtotal": money.text(totals.subtotal),
        "discount": money.text(totals.discount),
        "shipping": money.text(totals.shipping),
        "total": money.text(order.total_cents),
        "store_credit_used": money.text(totals.store_credit_used),
        "promo_codes": pieces(order.codes),
        "payment": None
        if payment is None
        else {
            "status": payment.status,
            "amount": money.text(payment.amount_cents),
            "charge_id": payment.charge_id,
            "error": payment.error,
        },
        "ship_to": order.ship_to.split("\n"),
        "placed_at": shop_time(order.placed_at),
        "paid_at": shop_time(order.paid_at),
        "shipped_at": shop_time(order.shipped_at),
        "delivered_at": shop_time(order.delivered_at),
        "cancelled_at": shop_time(order.cancelled_at),
    }
