"""JSON schemas of the catalog's answers, for the OpenAPI document."""

from __future__ import annotations

from typing import Any

from legacy_monolith.catalog.vocabulary import CONDITIONS, PUBLIC_STATUSES

TEXT: dict[str, Any] = {"type": "string"}
MAYBE_TEXT: dict[str, Any] = {"type": ["string", "null"]}
NUMBER: dict[str, Any] = {"type": "integer"}
MONEY: dict[str, Any] = {"type": "string", "pattern": r"^-?\d+\.\d\d$"}
MAYBE_MONEY: dict[str, Any] = {"type": ["string", "null"], "pattern": r"^-?\d+\.\d\d$"}
TIME: dict[str, Any] = {"type": "string", "format": "date-time"}


def record(**properties: Any) -> dict[str, Any]:
    """An object that has all of these and nothing else."""
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


def list_of(items: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": items}


def maybe(schema: dict[str, Any]) -> dict[str, Any]:
    return {"oneOf": [schema, {"type": "null"}]}


_SHARED = {
    "size": MAYBE_TEXT,
    "colour": MAYBE_TEXT,
    "condition": {"type": "string", "enum": list(CONDITIONS)},
    "availability": {"type": "string", "enum": list(PUBLIC_STATUSES)},
}

ITEM_SUMMARY = record(
    id=NUMBER,
    title=TEXT,
    price=MONEY,
    original_price=MAYBE_MONEY,
    brand=maybe(record(id=NUMBER, name=TEXT)),
    category_id=NUMBER,
    **_SHARED,
    photo=MAYBE_TEXT,
    tags=list_of(TEXT),
    created_at=TIME,
)
ITEM_LIST = record(items=list_of(ITEM_SUMMARY), page=NUMBER, per_page=NUMBER, total=NUMBER)
ITEM_PAGE = record(
    id=NUMBER,
    title=TEXT,
    description=MAYBE_TEXT,
    price=MONEY,
    original_price=MAYBE_MONEY,
    brand=maybe(record(id=NUMBER, name=TEXT, slug=TEXT)),
    category=list_of(record(id=NUMBER, name=TEXT, slug=TEXT)),
    **_SHARED,
    photos=list_of(TEXT),
    tags=list_of(TEXT),
    markdown_count=NUMBER,
    created_at=TIME,
    updated_at=TIME,
)
BRAND = record(id=NUMBER, name=TEXT, slug=TEXT, designer={"type": "boolean"})
BRAND_LIST = record(brands=list_of(BRAND))
CATEGORY_TREE = record(
    categories=list_of(record(id=NUMBER, name=TEXT, slug=TEXT, children={"type": "array", "items": {"type": "object"}}))
)
