"""The SQL of the reads, as text with ``%s`` parameters: they are few and hot, and easy to EXPLAIN this way."""

from __future__ import annotations

from typing import Any

from extracted.catalog.question import DEEPEST, Question

BRANDS = "SELECT legacy_id, name, slug, designer FROM brands WHERE retired_at IS NULL ORDER BY slug"
BRAND_BY_ID = "SELECT legacy_id FROM brands WHERE legacy_id = %s AND retired_at IS NULL"
BRAND_BY_SLUG = "SELECT legacy_id FROM brands WHERE slug = %s AND retired_at IS NULL"
CATEGORIES = "SELECT legacy_id, parent_id, name, slug, position, retired_at FROM categories"
ITEM = """
SELECT items.title, description, price_cents, original_price_cents, brand_id, brands.name, brands.slug, category_id,
       size, colour, condition_word, availability, photos, tags, markdown_count, items.created_at, items.updated_at
FROM items LEFT JOIN brands ON brands.legacy_id = items.brand_id
WHERE items.legacy_id = %s AND availability <> 'processing'
"""

_ORDERS = {
    "newest": "items.created_at DESC, items.legacy_id DESC",
    "price_asc": "price_cents, items.legacy_id",
    "price_desc": "price_cents DESC, items.legacy_id DESC",
}

Parameters = tuple[Any, ...]


def conditions(question: Question, categories: list[int] | None, brand: int | None) -> tuple[str, Parameters]:
    """The WHERE of a question whose category (with its subtree) and brand have been looked up."""
    parts: list[tuple[str, Parameters]] = [("availability = %s", (question.availability,))]
    if categories is not None:
        parts.append((f"category_id IN ({', '.join(['%s'] * len(categories))})", tuple(categories)))
    for condition, value in (
        ("brand_id = %s", brand),
        ("size = %s", question.size),
        ("colour = %s", question.colour),
        ("condition_word = %s", question.condition),
        ("price_cents >= %s", question.min_cents),
        ("price_cents <= %s", question.max_cents),
    ):
        if value is not None:
            parts.append((condition, (value,)))
    if question.words:
        every_word = " ".join(f"+{word}*" for word in question.words)
        parts.append(("MATCH(title) AGAINST (%s IN BOOLEAN MODE)", (every_word,)))
    return " AND ".join(part for part, _ in parts), tuple(value for _, values in parts for value in values)


def count(where: str) -> str:
    """How many there are, counted up to ``DEEPEST``."""
    return f"SELECT COUNT(*) FROM (SELECT 1 FROM items WHERE {where} LIMIT {DEEPEST}) AS capped"


def page(where: str, question: Question) -> str:
    """One page: keys first, from an index alone where one covers; whole rows only for those shown."""
    order = _ORDERS[question.sort]
    return f"""
SELECT items.legacy_id, title, price_cents, original_price_cents, brand_id, brands.name, category_id, size, colour,
       condition_word, availability, photos, tags, items.created_at
FROM (SELECT legacy_id FROM items WHERE {where} ORDER BY {order} LIMIT {question.per_page} OFFSET {question.offset})
     AS shown
JOIN items ON items.legacy_id = shown.legacy_id
LEFT JOIN brands ON brands.legacy_id = items.brand_id
ORDER BY {order}
"""
