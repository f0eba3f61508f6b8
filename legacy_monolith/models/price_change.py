"""Why an item's price is what it is."""

from __future__ import annotations

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from legacy_monolith.models.base import Base, Code, Created, Key, Money


class PriceChange(Base):
    """One change of one item's price. Reason: 1 markdown job, 2 staff."""

    __tablename__ = "item_price_changes"

    id: Mapped[Key]
    item_id: Mapped[int] = mapped_column(ForeignKey("items.id"), index=True)
    old_price: Mapped[Money]
    new_price: Mapped[Money]
    reason: Mapped[Code]
    created_at: Mapped[Created]
