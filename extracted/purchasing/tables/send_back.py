"""Returns: what a buyer sends back."""

from __future__ import annotations

from sqlalchemy import Boolean, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from extracted.purchasing.tables.base import (
    TABLE_OPTIONS,
    Base,
    Cents,
    Created,
    Key,
    Reference,
    Updated,
    Utc,
    Uuid,
    words,
)
from extracted.purchasing.words import REFUND_TO, RETURN_STATUSES


class Return(Base):
    """One parcel back."""

    __tablename__ = "returns"
    __table_args__ = (Index("ix_returns_user_id_id", "user_id", "id"), TABLE_OPTIONS)

    id: Mapped[Key]
    uuid: Mapped[Uuid]
    order_id: Mapped[Reference] = mapped_column(index=True)
    user_id: Mapped[Reference]
    status: Mapped[str] = mapped_column(words("status", RETURN_STATUSES), default="requested")
    refund_to: Mapped[str] = mapped_column(words("refund_to", REFUND_TO))
    reason: Mapped[str] = mapped_column(String(300))
    requested_at: Mapped[Utc]
    received_at: Mapped[Utc | None]
    refunded_at: Mapped[Utc | None]
    created_at: Mapped[Created]
    updated_at: Mapped[Updated]


class ReturnItem(Base):
    """One item in one return. ``restocked``: null until received."""

    __tablename__ = "return_items"

    id: Mapped[Key]
    return_id: Mapped[Reference] = mapped_column(index=True)
    order_item_id: Mapped[Reference]
    item_id: Mapped[Reference]
    refund_cents: Mapped[Cents]
    restocked: Mapped[bool | None] = mapped_column(Boolean)
    created_at: Mapped[Created]
