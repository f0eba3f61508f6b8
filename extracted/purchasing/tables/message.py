"""What people are told: copies of texts and wishes, and the outbox of what the monolith is to send."""

from __future__ import annotations

from sqlalchemy import Boolean, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from extracted.purchasing.tables.base import TABLE_OPTIONS, Base, Created, GivenKey, Key, Reference


class MessageTemplate(Base):
    """The text of one kind of message; ``{name}`` places are filled in."""

    __tablename__ = "message_templates"
    __table_args__ = (Index("ix_message_templates_name", "name"), TABLE_OPTIONS)

    id: Mapped[GivenKey]
    name: Mapped[str] = mapped_column(String(60))
    topic: Mapped[str] = mapped_column(String(30))
    subject: Mapped[str] = mapped_column(String(200))
    body: Mapped[str] = mapped_column(Text)


class MessagePreference(Base):
    """How one user wants one topic; no row means both ways."""

    __tablename__ = "message_preferences"
    __table_args__ = (Index("ix_message_preferences_user_id_topic", "user_id", "topic"), TABLE_OPTIONS)

    id: Mapped[GivenKey]
    user_id: Mapped[Reference]
    topic: Mapped[str] = mapped_column(String(30))
    by_mail: Mapped[bool] = mapped_column(Boolean)
    in_app: Mapped[bool] = mapped_column(Boolean)


class OutgoingMail(Base):
    """One mail, written in the transaction that causes it. ``dedupe_key`` names the occasion, on either side."""

    __tablename__ = "outgoing_mails"
    __table_args__ = (UniqueConstraint("dedupe_key", name="uq_outgoing_mails_dedupe_key"), TABLE_OPTIONS)

    id: Mapped[Key]
    user_id: Mapped[Reference]
    template: Mapped[str] = mapped_column(String(60))
    to_address: Mapped[str] = mapped_column(String(190))
    subject: Mapped[str] = mapped_column(String(200))
    body: Mapped[str] = mapped_column(Text)
    dedupe_key: Mapped[str] = mapped_column(String(120))  # such as order_paid:88121
    created_at: Mapped[Created]


class OutgoingNotification(Base):
    """One message in the app."""

    __tablename__ = "outgoing_notifications"

    id: Mapped[Key]
    user_id: Mapped[Reference]
    topic: Mapped[str] = mapped_column(String(30))
    title: Mapped[str] = mapped_column(String(200))
    body: Mapped[str] = mapped_column(Text)
    created_at: Mapped[Created]
