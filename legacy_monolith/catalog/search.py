"""The item list: which index a question uses is decided here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, and_, func, literal, select, text
from sqlalchemy.orm import Session

from legacy_monolith.catalog.filters import DEEPEST, Filters, is_id
from legacy_monolith.catalog.tree import read_tree
from legacy_monolith.models import Brand, Item
from legacy_monolith.web.errors import invalid

#: What a line of the list shows (see ``representation.summary``).
SUMMARY_COLUMNS = (
    Item.id,
    Item.title,
    Item.price,
    Item.original_price,
    Item.brand_id,
    Brand.name.label("brand"),
    Item.category_id,
    Item.size,
    Item.colour,
    Item.condition_code,
    Item.status,
    Item.photos,
    Item.tags,
    Item.created_at,
)

_ORDERS: dict[str, tuple[ColumnElement[Any], ...]] = {
    "newest": (Item.created_at.desc(), Item.id.desc()),
    "price_asc": (Item.price.asc(), Item.id.asc()),
    "price_desc": (Item.price.desc(), Item.id.desc()),
}


def find_items(session: Session, filters: Filters) -> tuple[Sequence[Row[Any]], int]:
    """(the page's rows, how many there are in all, up to 10,000). Raises 400 for an unknown brand or category."""
    conditions = _conditions(session, filters)
    if conditions is None:
        return [], 0
    total = session.scalar(
        select(func.count()).select_from(
            select(literal(1)).select_from(Item).where(conditions).limit(DEEPEST).subquery()
        )
    )
    if not total or filters.offset >= total:
        return [], total or 0
    return session.execute(_page(conditions, filters)).all(), total


def _page(conditions: ColumnElement[bool], filters: Filters) -> Select[Any]:
    """Keys first, from an index alone where one covers; whole rows only for those shown."""
    order = _ORDERS[filters.sort]
    keys = select(Item.id).where(conditions).order_by(*order).limit(filters.per_page).offset(filters.offset).subquery()
    return (
        select(*SUMMARY_COLUMNS)
        .join_from(keys, Item, Item.id == keys.c.id)
        .outerjoin(Brand, Brand.id == Item.brand_id)
        .order_by(*order)
    )


def _conditions(session: Session, filters: Filters) -> ColumnElement[bool] | None:
    """None if nothing can match."""
    parts: list[ColumnElement[bool]] = [Item.status == int(filters.status), Item.deleted_at.is_(None)]
    if filters.category is not None:
        tree = read_tree(session)
        node = tree.find(filters.category)
        if node is None:
            raise invalid("category", f"category is not known: '{filters.category}'")
        parts.append(Item.category_id.in_(tree.subtree(node.id)))
    if filters.brand is not None:
        parts.append(Item.brand_id == _brand_id(session, filters.brand))
    if filters.size is not None:
        parts.append(Item.size == filters.size)
    if filters.colour is not None:
        parts.append(Item.colour == filters.colour)
    if filters.condition is not None:
        parts.append(Item.condition_code == int(filters.condition))
    if filters.min_price is not None:
        parts.append(Item.price >= filters.min_price)
    if filters.max_price is not None:
        parts.append(Item.price <= filters.max_price)
    if filters.words is not None:
        if not filters.words:
            return None
        every_word = " ".join(f"+{word}*" for word in filters.words)
        parts.append(text("MATCH(items.title) AGAINST (:words IN BOOLEAN MODE)").bindparams(words=every_word))
    return and_(*parts)


def _brand_id(session: Session, reference: str) -> int:
    matches = Brand.id == int(reference) if is_id(reference) else Brand.slug == reference
    brand_id = session.scalar(select(Brand.id).where(matches, Brand.deleted_at.is_(None)))
    if brand_id is None:
        raise invalid("brand", f"brand is not known: '{reference}'")
    return brand_id
