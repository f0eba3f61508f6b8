"""Carts and what lies in them."""

from __future__ import annotations

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from legacy_monolith.models.base import TABLE_OPTIONS, Base, Created, Key, Money, Updated


class Cart(Base):
    """The one cart of a user, reused for ever. ``promo_codes`` is comma-separated, upper case."""

    __tablename__ = "carts"

    id: Mapped[Key]
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), unique=True)
    promo_codes: Mapped[str] = mapped_column(String(200), default="")
    created_at: Mapped[Created]
    updated_at: Mapped[Updated]


class CartItem(Base):
    """One item in one cart. It reserves nothing."""

    __tablename__ = "cart_items"
    __table_args__ = (UniqueConstraint("cart_id", "item_id"), TABLE_OPTIONS)

    id: Mapped[Key]
    cart_id: Mapped[int] = mapped_column(ForeignKey("carts.id"))
    item_id: Mapped[int] = mapped_column(ForeignKey("items.id"), index=True)
    price_when_added: Mapped[Money]
    created_at: Mapped[Created]
