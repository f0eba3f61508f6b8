"""Orders: what was bought, for how much."""

from __future__ import annotations

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from legacy_monolith.models.base import TABLE_OPTIONS, Base, Code, Created, Key, LocalTime, Money, Updated


class Order(Base):
    """One order. Status: see ``legacy_monolith.orders.vocabulary``. total = subtotal - discount + shipping;
    store_credit_used + what the card was charged = total."""

    __tablename__ = "orders"
    __table_args__ = (
        Index("ix_orders_user_id_id", "user_id", "id"),
        Index("ix_orders_status_created_at", "status", "created_at"),
        TABLE_OPTIONS,
    )

    id: Mapped[Key]
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    address_id: Mapped[int | None] = mapped_column(ForeignKey("addresses.id"), index=True)
    ship_to: Mapped[str] = mapped_column(Text)  # the address as it was, lines separated by newlines
    status: Mapped[Code] = mapped_column(default=0)
    subtotal: Mapped[Money]
    discount: Mapped[Money]
    shipping: Mapped[Money]
    total: Mapped[Money]
    store_credit_used: Mapped[Money]
    promo_codes: Mapped[str] = mapped_column(String(200), default="")  # comma-separated
    placed_at: Mapped[LocalTime]
    paid_at: Mapped[LocalTime | None]
    shipped_at: Mapped[LocalTime | None]
    delivered_at: Mapped[LocalTime | None]
    cancelled_at: Mapped[LocalTime | None]
    created_at: Mapped[Created]
    updated_at: Mapped[Updated]


class OrderItem(Base):
    """One item in one order, with title and price as they were. Status: 0 sold, 1 return requested, 2 returned."""

    __tablename__ = "order_items"

    id: Mapped[Key]
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"), index=True)
    item_id: Mapped[int] = mapped_column(ForeignKey("items.id"), index=True)
    title: Mapped[str] = mapped_column(String(200))
    brand_name: Mapped[str | None] = mapped_column(String(120))
    price: Mapped[Money]
    discount: Mapped[Money]
    status: Mapped[Code] = mapped_column(default=0)
    created_at: Mapped[Created]
    updated_at: Mapped[Updated]


class OrderDiscount(Base):
    """What one promotion took off one order (for free shipping: the shipping)."""

    __tablename__ = "order_discounts"

    id: Mapped[Key]
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"), index=True)
    promotion_id: Mapped[int] = mapped_column(ForeignKey("promotions.id"), index=True)
    code: Mapped[str] = mapped_column(String(40))
    kind: Mapped[Code]
    amount: Mapped[Money]
