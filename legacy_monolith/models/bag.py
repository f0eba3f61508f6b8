"""Consignment bags: what sellers send in."""

from __future__ import annotations

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from legacy_monolith.models.base import TABLE_OPTIONS, Base, Code, Created, Key, LocalTime, Money, Updated


class Bag(Base):
    """One bag; staff turn its content into items. Status: see ``legacy_monolith.bags.vocabulary``."""

    __tablename__ = "bags"
    __table_args__ = (Index("ix_bags_status_created_at", "status", "created_at"), TABLE_OPTIONS)

    id: Mapped[Key]
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    label_code: Mapped[str] = mapped_column(String(24), unique=True)
    status: Mapped[Code] = mapped_column(default=0)
    payout_percent: Mapped[Code] = mapped_column(default=40)
    estimated_value: Mapped[Money | None]
    notes: Mapped[str | None] = mapped_column(String(500))
    received_at: Mapped[LocalTime | None]
    processed_at: Mapped[LocalTime | None]
    created_at: Mapped[Created]
    updated_at: Mapped[Updated]
    deleted_at: Mapped[LocalTime | None]
