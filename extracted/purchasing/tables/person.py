"""People, their addresses and log-ins: copies of the monolith's."""

from __future__ import annotations

from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, mapped_column

from extracted.purchasing.tables.base import TABLE_OPTIONS, Base, GivenKey, Reference, Utc, words
from extracted.purchasing.words import ROLES


class User(Base):
    """One account. Its store credit is in ``credit_balances``."""

    __tablename__ = "users"

    id: Mapped[GivenKey]
    email: Mapped[str] = mapped_column(String(190))
    name: Mapped[str] = mapped_column(String(120))
    role: Mapped[str] = mapped_column(words("role", ROLES))
    default_address_id: Mapped[Reference | None]
    removed_at: Mapped[Utc | None]


class Address(Base):
    """One address of one user."""

    __tablename__ = "addresses"

    id: Mapped[GivenKey]
    user_id: Mapped[Reference]
    name: Mapped[str] = mapped_column(String(120))
    line1: Mapped[str] = mapped_column(String(160))
    line2: Mapped[str | None] = mapped_column(String(160))
    city: Mapped[str] = mapped_column(String(80))
    region: Mapped[str | None] = mapped_column(String(80))
    postal_code: Mapped[str] = mapped_column(String(20))
    country: Mapped[str] = mapped_column(String(2))
    removed_at: Mapped[Utc | None]


class Session(Base):
    """One log-in; only the SHA-256 of its token is known."""

    __tablename__ = "sessions"
    __table_args__ = (Index("ix_sessions_token_hash", "token_hash"), TABLE_OPTIONS)

    id: Mapped[GivenKey]
    user_id: Mapped[Reference]
    token_hash: Mapped[str] = mapped_column(String(64))
    expires_at: Mapped[Utc]
    revoked_at: Mapped[Utc | None]
