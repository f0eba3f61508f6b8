"""Purchases that must not happen twice."""

from __future__ import annotations

from sqlalchemy import Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from extracted.purchasing.tables.base import TABLE_OPTIONS, Base, Created, Key, Reference, Updated


class PurchaseKey(Base):
    """One Idempotency-Key of one user: the order it made, and the answer (as its bytes) once there is one."""

    __tablename__ = "purchase_keys"
    __table_args__ = (UniqueConstraint("user_id", "key_text", name="uq_purchase_keys_user_id_key_text"), TABLE_OPTIONS)

    id: Mapped[Key]
    user_id: Mapped[Reference]
    key_text: Mapped[str] = mapped_column(String(100))
    request_hash: Mapped[str] = mapped_column(String(64))
    order_id: Mapped[Reference | None] = mapped_column(index=True)
    response_status: Mapped[int | None] = mapped_column(Integer)
    response_body: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[Created]
    updated_at: Mapped[Updated]
