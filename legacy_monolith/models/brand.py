"""Brands."""

from __future__ import annotations

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from legacy_monolith.models.base import Base, Code, Created, Key, LocalTime, Updated


class Brand(Base):
    """One brand. ``name`` may carry stray blanks at either end; ``slug`` is ASCII, lower case, never changes."""

    __tablename__ = "brands"

    id: Mapped[Key]
    name: Mapped[str] = mapped_column(String(120))
    slug: Mapped[str] = mapped_column(String(140), unique=True)
    is_designer: Mapped[Code] = mapped_column(default=0)  # 0 no, 1 yes
    created_at: Mapped[Created]
    updated_at: Mapped[Updated]
    deleted_at: Mapped[LocalTime | None]
