"""Items that people like."""

from __future__ import annotations

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from legacy_monolith.models.base import TABLE_OPTIONS, Base, Created, Key


class Favourite(Base):
    """One user likes one item."""

    __tablename__ = "favourites"
    __table_args__ = (UniqueConstraint("user_id", "item_id"), TABLE_OPTIONS)

    id: Mapped[Key]
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    item_id: Mapped[int] = mapped_column(ForeignKey("items.id"), index=True)
    created_at: Mapped[Created]
