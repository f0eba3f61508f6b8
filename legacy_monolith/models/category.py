"""The category tree."""

from __future__ import annotations

from sqlalchemy import ForeignKey, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from legacy_monolith.models.base import Base, Created, Key, LocalTime, Updated


class Category(Base):
    """One node; ``position`` orders siblings. Soft deletion of a node hides its whole subtree."""

    __tablename__ = "categories"

    id: Mapped[Key]
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("categories.id"), index=True)
    name: Mapped[str] = mapped_column(String(80))
    slug: Mapped[str] = mapped_column(String(140), unique=True)
    position: Mapped[int] = mapped_column(Integer, default=0)
    created_at: Mapped[Created]
    updated_at: Mapped[Updated]
    deleted_at: Mapped[LocalTime | None]
