"""Returns: what a buyer sends back."""

from __future__ import annotations

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from legacy_monolith.models.base import TABLE_OPTIONS, Base, Code, Created, Key, LocalTime, Money, Updated


class Return(Base):
    """One parcel back. Status: 0 requested, 1 received, 2 refunded, 3 rejected. Refund to: 0 card, 1 store credit."""

    __tablename__ = "returns"
    __table_args__ = (Index("ix_returns_status_created_at", "status", "created_at"), TABLE_OPTIONS)

    id: Mapped[Key]
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"), index=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    status: Mapped[Code] = mapped_column(default=0)
    refund_to: Mapped[Code] = mapped_column(default=0)
    reason: Mapped[str] = mapped_column(String(300))
    requested_at: Mapped[LocalTime]
    received_at: Mapped[LocalTime | None]
    refunded_at: Mapped[LocalTime | None]
    created_at: Mapped[Created]
    updated_at: Mapped[Updated]


class ReturnItem(Base):
    """One item in one return. ``restock``: null until received, then 0 no, 1 listed again."""

    __tablename__ = "return_items"

    id: Mapped[Key]
    return_id: Mapped[int] = mapped_column(ForeignKey("returns.id"), index=True)
    order_item_id: Mapped[int] = mapped_column(ForeignKey("order_items.id"), index=True)
    item_id: Mapped[int] = mapped_column(ForeignKey("items.id"), index=True)
    refund_amount: Mapped[Money]
    restock: Mapped[Code | None]
    created_at: Mapped[Created]
