"""The outbox of mails."""

from __future__ import annotations

from sqlalchemy import ForeignKey, Index, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from legacy_monolith.models.base import TABLE_OPTIONS, Base, Code, Created, Key, LocalTime


class Mail(Base):
    """One mail, written in the transaction that causes it, sent by a job. Status: 0 queued, 1 sent, 2 given up."""

    __tablename__ = "mails"
    __table_args__ = (Index("ix_mails_status_id", "status", "id"), TABLE_OPTIONS)

    id: Mapped[Key]
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    template: Mapped[str] = mapped_column(String(60))
    to_address: Mapped[str] = mapped_column(String(190))
    subject: Mapped[str] = mapped_column(String(200))
    body: Mapped[str] = mapped_column(Text)
    dedupe_key: Mapped[str] = mapped_column(String(120), unique=True)  # such as order_paid:88121
    status: Mapped[Code] = mapped_column(default=0)
    attempts: Mapped[int] = mapped_column(Integer, default=0)
    created_at: Mapped[Created]
    sent_at: Mapped[LocalTime | None]
