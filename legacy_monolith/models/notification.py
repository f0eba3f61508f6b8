"""What people are told, how they want to be told, and the texts."""

from __future__ import annotations

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from legacy_monolith.models.base import TABLE_OPTIONS, Base, Code, Created, Key, LocalTime, Updated


class NotificationTemplate(Base):
    """The text of one kind of message; ``{name}`` places are filled in."""

    __tablename__ = "notification_templates"

    id: Mapped[Key]
    name: Mapped[str] = mapped_column(String(60), unique=True)
    topic: Mapped[str] = mapped_column(String(30))
    subject: Mapped[str] = mapped_column(String(200))
    body: Mapped[str] = mapped_column(Text)
    updated_at: Mapped[Updated]


class NotificationPreference(Base):
    """How one user wants one topic; no row means both ways."""

    __tablename__ = "notification_preferences"
    __table_args__ = (UniqueConstraint("user_id", "topic"), TABLE_OPTIONS)

    id: Mapped[Key]
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    topic: Mapped[str] = mapped_column(String(30))
    by_mail: Mapped[Code] = mapped_column(default=1)
    in_app: Mapped[Code] = mapped_column(default=1)
    updated_at: Mapped[Updated]


class Notification(Base):
    """One message in the app."""

    __tablename__ = "notifications"
    __table_args__ = (Index("ix_notifications_user_id_id", "user_id", "id"), TABLE_OPTIONS)

    id: Mapped[Key]
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    topic: Mapped[str] = mapped_column(String(30))
    title: Mapped[str] = mapped_column(String(200))
    body: Mapped[str] = mapped_column(Text)
    read_at: Mapped[LocalTime | None]
    created_at: Mapped[Created]
