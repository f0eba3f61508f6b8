"""Catalog rows as the API says them. The order of the keys is part of the contract (``API.md``)."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row

from legacy_monolith import money
from legacy_monolith.catalog.tree import Node
from legacy_monolith.catalog.vocabulary import Condition, ItemStatus, pieces
from legacy_monolith.clock import iso
from legacy_monolith.models import Brand, Item


def summary(row: Row[Any]) -> dict[str, Any]:
    """A line of the list; ``row`` has ``search.SUMMARY_COLUMNS``."""
    photos = pieces(row.photos)
    return {
        "id": row.id,
        "title": row.title,
        "price": money.text(row.price),
        "original_price": money.text(row.original_price),
        "brand": None if row.brand is None else {"id": row.brand_id, "name": row.brand.strip(" ")},
        "category_id": row.category_id,
        "size": row.size,
        "colour": row.colour,
        "condition": Condition(row.condition_code).word,
        "availability": ItemStatus(row.status).word,
        "photo": photos[0] if photos else None,
        "tags": pieces(row.tags),
        "created_at": iso(row.created_at),
    }


def page_of(item: Item, item_brand: Brand | None, path: list[Node]) -> dict[str, Any]:
    """An item's own page."""
    return {
        "id": item.id,
        "title": item.title,
        "description": item.description,
        "price": money.text(item.price),
        "original_price": money.text(item.original_price),
        "brand": None
        if item_brand is None
        else {"id": item_brand.id, "name": item_brand.name.strip(" "), "slug": item_brand.slug},
        "category": [{"id": node.id, "name": node.name, "slug": node.slug} for node in path],
        "size": item.size,
        "colour": item.colour,
        "condition": Condition(item.condition_code).word,
        "availability": ItemStatus(item.status).word,
        "photos": pieces(item.photos),
        "tags": pieces(item.tags),
        "markdown_count": item.markdown_count,
        "created_at": iso(item.created_at),
        "updated_at": iso(item.updated_at),
    }


def brand(row: Brand) -> dict[str, Any]:
    return {"id": row.id, "name": row.name.strip(" "), "slug": row.slug, "designer": row.is_designer == 1}
