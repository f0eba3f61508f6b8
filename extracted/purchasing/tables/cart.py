"""Carts and what lies in them."""

from __future__ import annotations

from sqlalchemy import UniqueConstraint
from sqlalchemy.dialects.mysql import JSON
from sqlalchemy.orm import Mapped, mapped_column

from extracted.purchasing.tables.base import TABLE_OPTIONS, Base, Cents, Created, Key, Reference, Updated


class Cart(Base):
    """The one cart of a user, reused for ever. ``codes`` is a list of promotion codes, upper case."""

    __tablename__ = "carts"
    __table_args__ = (UniqueConstraint("user_id", name="uq_carts_user_id"), TABLE_OPTIONS)

    id: Mapped[Key]
    user_id: Mapped[Reference]
    codes: Mapped[list[str]] = mapped_column(JSON, default=list)
    created_at: Mapped[Created]
    updated_at: Mapped[Updated]


class CartItem(Base):
    """One item in one cart. It reserves nothing."""

    __tablename__ = "cart_items"
    __table_args__ = (UniqueConstraint("cart_id", "item_id", name="uq_cart_items_cart_id_item_id"), TABLE_OPTIONS)

    id: Mapped[Key]
    cart_id: Mapped[Reference]
    item_id: Mapped[Reference] = mapped_column(index=True)
    cents_when_added: Mapped[Cents]
    created_at: Mapped[Created]
