"""People: buyers, sellers and staff."""

from __future__ import annotations

from sqlalchemy import Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from legacy_monolith.models.base import Base, Code, Created, Key, LocalTime, Money, Updated
from legacy_monolith.money import ZERO


class User(Base):
    """One account. ``store_credit`` is the balance; ``store_credit_entries`` say how it came to be."""

    __tablename__ = "users"

    id: Mapped[Key]
    email: Mapped[str] = mapped_column(String(190), unique=True)
    password_hash: Mapped[str] = mapped_column(String(200))
    name: Mapped[str] = mapped_column(String(120))
    phone: Mapped[str | None] = mapped_column(String(40))
    role: Mapped[Code] = mapped_column(default=0)  # 0 customer, 1 staff
    store_credit: Mapped[Money] = mapped_column(default=ZERO)
    default_address_id: Mapped[int | None] = mapped_column(Integer)  # no foreign key: legacy never got round to it
    created_at: Mapped[Created]
    updated_at: Mapped[Updated]
    deleted_at: Mapped[LocalTime | None]
