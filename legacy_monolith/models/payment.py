"""What was asked of the payment gateway, and what it said."""

from __future__ import annotations

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from legacy_monolith.models.base import Base, Code, Created, Key, Money, Updated


class Payment(Base):
    """The charge of one order. Status: 0 pending, 1 captured, 2 declined, 3 partly refunded, 4 refunded."""

    __tablename__ = "payments"

    id: Mapped[Key]
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"), unique=True)
    amount: Mapped[Money]
    status: Mapped[Code] = mapped_column(default=0)
    source: Mapped[str] = mapped_column(String(60))  # the gateway's token of the card
    gateway_key: Mapped[str] = mapped_column(String(80), unique=True)  # idempotency key at the gateway
    gateway_charge_id: Mapped[str | None] = mapped_column(String(60))
    error: Mapped[str | None] = mapped_column(String(200))
    created_at: Mapped[Created]
    updated_at: Mapped[Updated]


class Refund(Base):
    """Money given back for one return, to the card, to store credit, or both. Status: 0 pending, 1 done."""

    __tablename__ = "refunds"

    id: Mapped[Key]
    return_id: Mapped[int] = mapped_column(ForeignKey("returns.id"), unique=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"), index=True)
    payment_id: Mapped[int | None] = mapped_column(ForeignKey("payments.id"), index=True)
    card_amount: Mapped[Money]
    credit_amount: Mapped[Money]
    status: Mapped[Code] = mapped_column(default=0)
    gateway_key: Mapped[str] = mapped_column(String(80), unique=True)
    gateway_refund_id: Mapped[str | None] = mapped_column(String(60))
    created_at: Mapped[Created]
    updated_at: Mapped[Updated]
