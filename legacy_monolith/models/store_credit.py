"""How a user's store credit came to be."""

from __future__ import annotations

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from legacy_monolith.models.base import Base, Code, Created, Key, Money


class StoreCreditEntry(Base):
    """One signed booking. Reason: 1 spent, 2 given back (order came to nothing), 3 refund, 4 bag payout, 5 gift."""

    __tablename__ = "store_credit_entries"

    id: Mapped[Key]
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    amount: Mapped[Money]
    balance_after: Mapped[Money]
    reason: Mapped[Code]
    order_id: Mapped[int | None] = mapped_column(ForeignKey("orders.id"), index=True)
    bag_id: Mapped[int | None] = mapped_column(ForeignKey("bags.id"), index=True)
    note: Mapped[str | None] = mapped_column(String(200))
    created_at: Mapped[Created]
