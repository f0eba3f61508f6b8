"""A cart's content, priced."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.dialects.mysql import insert
from sqlalchemy.orm import Session

from extracted.purchasing import money
from extracted.purchasing.cart import card
from extracted.purchasing.cart.card import pieces
from extracted.purchasing.cart.tree import path
from extracted.purchasing.clock import utc_now
from extracted.purchasing.promotions.rules import Line
from extracted.purchasing.tables import Brand, Cart, CartItem, Item, Stock
from extracted.purchasing.tables.base import touch

#: More than this nobody can carry.
MOST_ITEMS = 50


@dataclass(frozen=True)
class Content:
    """``rows`` have ``card.COLUMNS``, in the order in which they were put in."""

    cart: Cart
    rows: tuple[Row[Any], ...]
    reserved_by_user: frozenset[int]

    @property
    def codes(self) -> list[str]:
        return pieces(self.cart.codes)

    def available(self, row: Row[Any]) -> bool:
        """Whether this user could buy it now."""
        return row.availability == "listed" or row.id in self.reserved_by_user


def find_cart(session: Session, user_id: int) -> Cart | None:
    return session.scalar(select(Cart).where(Cart.user_id == user_id))


def own_cart(session: Session, user_id: int) -> Cart:
    """Made at the first use."""
    cart = find_cart(session, user_id)
    if cart is None:
        now = utc_now()
        statement = insert(Cart).values(user_id=user_id, codes=[], created_at=now, updated_at=now)
        session.execute(statement.on_duplicate_key_update(user_id=statement.inserted.user_id))
        cart = session.scalars(select(Cart).where(Cart.user_id == user_id)).one()
    return cart


def cart_to_change(session: Session, user_id: int) -> Cart:
    """The same, touched: also what turns out to change nothing is refused where this side does not own the carts, since
    the owner's cart may be another one by now."""
    cart = own_cart(session, user_id)
    touch(cart)
    session.flush()
    return cart


def read_content(session: Session, user_id: int) -> Content:
    """Does not make the cart of somebody who has none: reading must work while the other side owns the carts."""
    cart = find_cart(session, user_id) or Cart(user_id=user_id, codes=[])
    if cart.id is None:
        return Content(cart, (), frozenset())
    rows = session.execute(
        select(*card.COLUMNS, Stock.reserved_by)
        .join_from(CartItem, Item, Item.id == CartItem.item_id)
        .join(Stock, Stock.item_id == CartItem.item_id)
        .outerjoin(Brand, Brand.id == Item.brand_id)
        .where(CartItem.cart_id == cart.id, Stock.removed_at.is_(None))
        .order_by(CartItem.id)
    ).all()
    mine = frozenset(row.id for row in rows if row.availability == "reserved" and row.reserved_by == user_id)
    return Content(cart, tuple(rows), mine)


def line_of(
    item_id: int, cents: int, brand_id: int | None, category_id: int, parents: Mapping[int, int | None]
) -> Line:
    """An item as the promotion rules see it."""
    return Line(item_id, cents, brand_id, path(parents, category_id))


def represent(content: Content) -> dict[str, Any]:
    subtotal = sum(row.price_cents for row in content.rows if content.available(row))
    return {
        "items": [{"available": content.available(row), "item": card.represent(row)} for row in content.rows],
        "promo_codes": content.codes,
        "subtotal": money.text(subtotal),
    }
