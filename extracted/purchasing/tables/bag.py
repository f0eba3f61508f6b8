"""Consignment bags: what sellers send in, and are paid for in store credit."""

from __future__ import annotations

from sqlalchemy import Index, SmallInteger, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from extracted.purchasing.tables.base import (
    TABLE_OPTIONS,
    Base,
    Cents,
    Created,
    GivenKey,
    Key,
    Reference,
    Updated,
    Utc,
    Uuid,
    words,
)
from extracted.purchasing.words import BAG_STATUSES


class Bag(Base):
    """One bag; staff turn its content into items."""

    __tablename__ = "bags"
    __table_args__ = (
        UniqueConstraint("label_code", name="uq_bags_label_code"),
        Index("ix_bags_user_id_id", "user_id", "id"),
        TABLE_OPTIONS,
    )

    id: Mapped[Key]
    uuid: Mapped[Uuid]
    user_id: Mapped[Reference]
    label_code: Mapped[str] = mapped_column(String(24))
    status: Mapped[str] = mapped_column(words("status", BAG_STATUSES), default="requested")
    payout_percent: Mapped[int] = mapped_column(SmallInteger, default=40)
    estimated_cents: Mapped[Cents | None]
    notes: Mapped[str | None] = mapped_column(String(500))
    received_at: Mapped[Utc | None]
    processed_at: Mapped[Utc | None]
    created_at: Mapped[Created]
    updated_at: Mapped[Updated]
    removed_at: Mapped[Utc | None]


class BagContent(Base):
    """An item that the monolith made out of a bag for us: closing the bag waits until its copy has arrived. Our own."""

    __tablename__ = "bag_contents"

    bag_id: Mapped[GivenKey]
    item_id: Mapped[GivenKey]
