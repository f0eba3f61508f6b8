"""What was asked of the payment gateway, and what it said."""

from __future__ import annotations

from sqlalchemy import String, UniqueConstraint
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
    words,
)
from extracted.purchasing.words import PAYMENT_STATUSES, REFUND_STATUSES


class Payment(Base):
    """The charge of one order. ``gateway_key`` is ``order-ID`` on either side, so that it is charged once."""

    __tablename__ = "payments"
    __table_args__ = (
        UniqueConstraint("order_id", name="uq_payments_order_id"),
        UniqueConstraint("gateway_key", name="uq_payments_gateway_key"),
        TABLE_OPTIONS,
    )

    id: Mapped[Key]
    order_id: Mapped[Reference]
    amount_cents: Mapped[Cents]
    currency: Mapped[Currency]
    status: Mapped[str] = mapped_column(words("status", PAYMENT_STATUSES), default="pending")
    source: Mapped[str] = mapped_column(String(60))  # the gateway's token of the card
    gateway_key: Mapped[str] = mapped_column(String(80))
    charge_id: Mapped[str | None] = mapped_column(String(60))
    error: Mapped[str | None] = mapped_column(String(200))
    created_at: Mapped[Created]
    updated_at: Mapped[Updated]


class Refund(Base):
    """Money given back for one return, to the card, to store credit, or both."""

    __tablename__ = "refunds"
    __table_args__ = (
        UniqueConstraint("return_id", name="uq_refunds_return_id"),
        UniqueConstraint("gateway_key", name="uq_refunds_gateway_key"),
        TABLE_OPTIONS,
    )

    id: Mapped[Key]
    return_id: Mapped[Reference]
    order_id: Mapped[Reference] = mapped_column(index=True)
    payment_id: Mapped[Reference | None]
    card_cents: Mapped[Cents]
    credit_cents: Mapped[Cents]
    currency: Mapped[Currency]
    status: Mapped[str] = mapped_column(words("status", REFUND_STATUSES), default="pending", index=True)
    gateway_key: Mapped[str] = mapped_column(String(80))  # return-ID
    gateway_refund_id: Mapped[str | None] = mapped_column(String(60))
    created_at: Mapped[Created]
    updated_at: Mapped[Updated]
