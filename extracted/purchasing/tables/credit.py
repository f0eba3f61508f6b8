"""Store credit: balances, and how they came to be."""

from __future__ import annotations

from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, mapped_column

from extracted.purchasing.tables.base import (
    TABLE_OPTIONS,
    Base,
    Cents,
    Created,
    Currency,
    GivenKey,
    Key,
    Reference,
    words,
)
from extracted.purchasing.words import CREDIT_REASONS


class CreditBalance(Base):
    """What purchasing owns of a user."""

    __tablename__ = "credit_balances"

    user_id: Mapped[GivenKey]
    balance_cents: Mapped[Cents]
    currency: Mapped[Currency]


class CreditEntry(Base):
    """One signed booking."""

    __tablename__ = "credit_entries"
    __table_args__ = (Index("ix_credit_entries_user_id_id", "user_id", "id"), TABLE_OPTIONS)

    id: Mapped[Key]
    user_id: Mapped[Reference]
    amount_cents: Mapped[Cents]
    balance_after_cents: Mapped[Cents]
    currency: Mapped[Currency]
    reason: Mapped[str] = mapped_column(words("reason", CREDIT_REASONS))
    order_id: Mapped[Reference | None]
    bag_id: Mapped[Reference | None]
    note: Mapped[str | None] = mapped_column(String(200))
    created_at: Mapped[Created]
