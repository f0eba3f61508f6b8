"""Log-ins."""

from __future__ import annotations

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from legacy_monolith.models.base import Base, Created, Key, LocalTime


class Session(Base):
    """One log-in. Only the SHA-256 of the token is kept."""

    __tablename__ = "sessions"

    id: Mapped[Key]
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    user_agent: Mapped[str | None] = mapped_column(String(200))
    created_at: Mapped[Created]
    expires_at: Mapped[LocalTime]
    revoked_at: Mapped[LocalTime | None]
