"""An item's card as the API shows it in a cart. The order of the keys is part of the API."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row

from extracted.purchasing import money
from extracted.purchasing.clock import shop_time
from extracted.purchasing.tables import Brand, Item, Stock

COLUMNS = (
    Item.id,
    Item.title,
    Item.price_cents,
    Item.original_price_cents,
    Item.brand_id,
    Brand.name.label("brand"),
    Item.category_id,
    Item.size,
    Item.colour,
    Item.condition_word,
    Stock.availability,
    Item.photos,
    Item.tags,
    Item.created_at,
)


def represent(row: Row[Any]) -> dict[str, Any]:
    """``row`` has ``COLUMNS``."""
    photos = pieces(row.photos)
    return {
        "id": row.id,
        "title": row.title,
        "price": money.text(row.price_cents),
        "original_price": money.text(row.original_price_cents),
        "brand": None if row.brand is None else {"id": row.brand_id, "name": row.brand},
        "category_id": row.category_id,
        "size": row.size,
        "colour": row.colour,
        "condition": row.condition_word,
        "availability": row.availability,
        "photo": photos[0] if photos else None,
        "tags": pieces(row.tags),
        "created_at": shop_time(row.created_at),
    }


def pieces(texts: list[str] | None) -> list[str]:
    """Without those that are empty or all blanks (the monolith's lists may hold them)."""
    return [piece for part in texts or () if (piece := part.strip(" "))]
