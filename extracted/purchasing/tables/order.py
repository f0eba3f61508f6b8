"""Orders: what was bought, for how much."""

from __future__ import annotations

from sqlalchemy import Index, String, Text
from sqlalchemy.dialects.mysql import JSON
from sqlalchemy.orm import Mapped, mapped_column

from extracted.purchasing.tables.base import (
    TABLE_OPTIONS,
    Base,
    Cents,
    Created,
    Currency,
    Key,
    Reference,
    Updated,
    Utc,
    Uuid,
    words,
)
from extracted.purchasing.words import ORDER_ITEM_STATUSES, ORDER_STATUSES, PROMOTION_KINDS


class Order(Base):
    """One order. ``totals`` are its lines (see ``checkout.totals``): subtotal, discount, shipping, store_credit, the
    taken ones below zero. total = subtotal + discount + shipping, and what the card pays is total + store_credit."""

    __tablename__ = "orders"
    __table_args__ = (
        Index("ix_orders_user_id_id", "user_id", "id"),
        Index("ix_orders_status_created_at", "status", "created_at"),
        TABLE_OPTIONS,
    )

    id: Mapped[Key]
    uuid: Mapped[Uuid]
    user_id: Mapped[Reference]
    address_id: Mapped[Reference | None]
    ship_to: Mapped[str] = mapped_column(Text)  # the address as it was, lines separated by newlines
    status: Mapped[str] = mapped_column(words("status", ORDER_STATUSES))
    currency: Mapped[Currency]
    totals: Mapped[list[dict[str, object]]] = mapped_column(JSON)
    total_cents: Mapped[Cents]
    codes: Mapped[list[str]] = mapped_column(JSON)
    placed_at: Mapped[Utc]
    paid_at: Mapped[Utc | None]
    shipped_at: Mapped[Utc | None]
    delivered_at: Mapped[Utc | None]
    cancelled_at: Mapped[Utc | None]
    created_at: Mapped[Created]
    updated_at: Mapped[Updated]


class OrderItem(Base):
    """One item in one order, with title and price as they were."""

    __tablename__ = "order_items"

    id: Mapped[Key]
    order_id: Mapped[Reference] = mapped_column(index=True)
    item_id: Mapped[Reference] = mapped_column(index=True)
    title: Mapped[str] = mapped_column(String(200))
    brand_name: Mapped[str | None] = mapped_column(String(120))
    price_cents: Mapped[Cents]
    discount_cents: Mapped[Cents]
    status: Mapped[str] = mapped_column(words("status", ORDER_ITEM_STATUSES), default="sold")
    created_at: Mapped[Created]
    updated_at: Mapped[Updated]


class OrderDiscount(Base):
    """What one promotion took off one order (for free shipping: the shipping)."""

    __tablename__ = "order_discounts"

    id: Mapped[Key]
    order_id: Mapped[Reference] = mapped_column(index=True)
    promotion_id: Mapped[Reference]
    code: Mapped[str] = mapped_column(String(40))
    kind: Mapped[str] = mapped_column(words("kind", PROMOTION_KINDS))
    amount_cents: Mapped[Cents]
