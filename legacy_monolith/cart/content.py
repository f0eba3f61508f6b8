"""A cart's content, priced."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.dialects.mysql import insert
from sqlalchemy.orm import Session

from legacy_monolith import money
from legacy_monolith.catalog.representation import summary
from legacy_monolith.catalog.search import SUMMARY_COLUMNS
from legacy_monolith.catalog.tree import Tree
from legacy_monolith.catalog.vocabulary import ItemStatus, pieces
from legacy_monolith.clock import shop_now
from legacy_monolith.models import Brand, Cart, CartItem, Item
from legacy_monolith.promotions.rules import Line

#: More than this nobody can carry.
MOST_ITEMS = 50


@dataclass(frozen=True)
class Content:
    """``rows`` have ``SUMMARY_COLUMNS``, in the order in which they were put in."""

    cart: Cart
    rows: tuple[Row[Any], ...]
    reserved_by_user: frozenset[int]

    @property
    def codes(self) -> list[str]:
        return pieces(self.cart.promo_codes)

    def available(self, row: Row[Any]) -> bool:
        """Whether this user could buy it now."""
        return row.status == ItemStatus.LISTED or row.id in self.reserved_by_user


def own_cart(session: Session, user_id: int) -> Cart:
    """Made at the first use."""
    cart = session.scalar(select(Cart).where(Cart.user_id == user_id))
    if cart is None:
        now = shop_now()
        statement = insert(Cart).values(user_id=user_id, promo_codes="", created_at=now, updated_at=now)
        session.execute(statement.on_duplicate_key_update(user_id=statement.inserted.user_id))
        cart = session.scalars(select(Cart).where(Cart.user_id == user_id)).one()
    return cart


def read_content(session: Session, user_id: int) -> Content:
    cart = own_cart(session, user_id)
    rows = session.execute(
        select(*SUMMARY_COLUMNS, Item.reserved_by)
        .join_from(CartItem, Item, Item.id == CartItem.item_id)
        .outerjoin(Brand, Brand.id == Item.brand_id)
        .where(CartItem.cart_id == cart.id, Item.deleted_at.is_(None))
        .order_by(CartItem.id)
    ).all()
    mine = frozenset(row.id for row in rows if row.status == ItemStatus.RESERVED and row.reserved_by == user_id)
    return Content(cart, tuple(rows), mine)


def line_of(item_id: int, price: Any, brand_id: int | None, category_id: int, tree: Tree) -> Line:
    """An item as the promotion rules see it."""
    return Line(item_id, price, brand_id, frozenset(node.id for node in tree.path(category_id)))


def represent(content: Content) -> dict[str, Any]:
    subtotal = sum((row.price for row in content.rows if content.available(row)), money.ZERO)
    return {
        "items": [{"available": content.available(row), "item": summary(row)} for row in content.rows],
        "promo_codes": content.codes,
        "subtotal": money.text(subtotal),
    }
