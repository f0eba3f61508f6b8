"""Rows as the API says them. The order of the keys is part of the API."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

import orjson

from extracted.catalog.tree import Node

#: The API speaks the shop's old fixed local time; the tables hold UTC.
_OFFSET = timedelta(hours=-8)


def summary(row: Sequence[Any]) -> dict[str, Any]:
    """A line of the list; ``row`` as ``statements.page`` selects it."""
    (key, title, cents, original, brand_id, brand, category_id, size, colour, condition, word, photos, tags, made) = row
    shown = pieces(photos)
    return {
        "id": key,
        "title": title,
        "price": money(cents),
        "original_price": money(original),
        "brand": None if brand is None else {"id": brand_id, "name": brand},
        "category_id": category_id,
        "size": size,
        "colour": colour,
        "condition": condition,
        "availability": word,
        "photo": shown[0] if shown else None,
        "tags": pieces(tags),
        "created_at": shop_time(made),
    }


def item(key: int, row: Sequence[Any], path: Iterable[Node]) -> dict[str, Any]:
    """An item's own page; ``row`` as ``statements.ITEM`` selects it."""
    (title, description, cents, original, brand_id, brand, slug, _category) = row[:8]
    (size, colour, condition, word, photos, tags, markdowns, made, changed) = row[8:]
    return {
        "id": key,
        "title": title,
        "description": description,
        "price": money(cents),
        "original_price": money(original),
        "brand": None if brand is None else {"id": brand_id, "name": brand, "slug": slug},
        "category": [{"id": node.id, "name": node.name, "slug": node.slug} for node in path],
        "size": size,
        "colour": colour,
        "condition": condition,
        "availability": word,
        "photos": pieces(photos),
        "tags": pieces(tags),
        "markdown_count": markdowns,
        "created_at": shop_time(made),
        "updated_at": shop_time(changed),
    }


def brand(row: Sequence[Any]) -> dict[str, Any]:
    """``row`` as ``statements.BRANDS`` selects it."""
    return {"id": row[0], "name": row[1], "slug": row[2], "designer": row[3] == 1}


def error(code: str, message: str, field: str | None = None) -> dict[str, Any]:
    return {"error": {"code": code, "message": message, "field": field}}


def money(cents: int | None) -> str | None:
    """``12.50``; None stays None."""
    if cents is None:
        return None
    whole, rest = divmod(abs(cents), 100)
    return f"{'-' if cents < 0 else ''}{whole}.{rest:02d}"


def shop_time(moment: datetime) -> str:
    """A stored UTC time as ``2026-11-23T12:04:31-08:00``, whole seconds."""
    return (moment + _OFFSET).isoformat(timespec="seconds") + "-08:00"


def pieces(array: str | None) -> list[str]:
    """A JSON array of texts; pieces that are empty or all blanks (legacy's lists may hold them) are not shown."""
    if not array or array == "[]":
        return []
    return [piece for part in orjson.loads(array) if (piece := part.strip(" "))]
