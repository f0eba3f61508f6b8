"""The shapes of the catalog's answers, and what holds of every list, whatever was asked."""

from __future__ import annotations

import re
from typing import Any

from contracts.case import require
from contracts.shape import (
    COUNT,
    KEY,
    LOCAL_TIME,
    MAYBE_MONEY,
    MAYBE_TEXT,
    MONEY,
    TEXT,
    YES_NO,
    check,
    each,
    maybe,
    one_of,
    record,
)
from contracts.visitor import Answer, Visitor

SORTS = ("newest", "price_asc", "price_desc")
STATUSES = ("listed", "reserved", "sold", "returned", "withdrawn")
CONDITIONS = ("new_with_tags", "like_new", "gently_used", "worn")
DEEPEST = 10_000
_NODE = record(id=KEY, name=TEXT, slug=TEXT)
BRANDS = record(brands=each(record(id=KEY, name=TEXT, slug={**TEXT, "pattern": "^[a-z0-9-]+$"}, designer=YES_NO)))
CATEGORIES = {
    **record(categories=each({"$ref": "#/$defs/node"})),
    "$defs": {"node": record(id=KEY, name=TEXT, slug=TEXT, children=each({"$ref": "#/$defs/node"}))},
}
SUMMARY = record(
    id=KEY,
    title=TEXT,
    price=MONEY,
    original_price=MAYBE_MONEY,
    brand=maybe(record(id=KEY, name=TEXT)),
    category_id=KEY,
    size=MAYBE_TEXT,
    colour=MAYBE_TEXT,
    condition=one_of(*CONDITIONS),
    availability=one_of(*STATUSES),
    photo=MAYBE_TEXT,
    tags=each({**TEXT, "minLength": 1}),
    created_at=LOCAL_TIME,
)
ITEMS = record(items=each(SUMMARY, maxItems=100), page=KEY, per_page=KEY, total={**COUNT, "maximum": DEEPEST})
ITEM = record(
    id=KEY,
    title=TEXT,
    description=MAYBE_TEXT,
    price=MONEY,
    original_price=MAYBE_MONEY,
    brand=maybe(_NODE),
    category=each(_NODE),
    size=MAYBE_TEXT,
    colour=MAYBE_TEXT,
    condition=one_of(*CONDITIONS),
    availability=one_of(*STATUSES),
    photos=each({**TEXT, "minLength": 1}),
    tags=each({**TEXT, "minLength": 1}),
    markdown_count=COUNT,
    created_at=LOCAL_TIME,
    updated_at=LOCAL_TIME,
)

Item = dict[str, Any]


def list_items(visitor: Visitor, **question: object) -> dict[str, Any]:
    """A list that has the promised shape and holds what was asked for, in the order that was asked for."""
    answer = visitor.get("/api/items", question)
    body: dict[str, Any] = check(answer, 200, ITEMS)
    shown: list[Item] = body["items"]
    page, per_page = int(str(question.get("page", 1))), int(str(question.get("per_page", 24)))
    require((body["page"], body["per_page"]) == (page, per_page), f"page or per_page is not what was asked: {answer}")
    expected = max(0, min(per_page, body["total"] - (page - 1) * per_page))
    require(len(shown) == expected, f"{len(shown)} items of {body['total']} where {expected} belong: {answer.request}")
    require(len({item["id"] for item in shown}) == len(shown), f"an item is listed twice: {answer.request}")
    for item in shown:
        _fits(item, question, answer)
    _in_order(shown, str(question.get("sort", "newest")), answer)
    return body


def _fits(item: Item, question: dict[str, object], answer: Answer) -> None:
    says = f"item {item['id']} does not belong in the answer to {answer.request}: "
    require(item["availability"] == question.get("status", "listed"), f"{says}it is {item['availability']}")
    if condition := question.get("condition"):
        require(item["condition"] == condition, f"{says}its condition is {item['condition']}")
    for name in ("size", "colour"):
        if wanted := question.get(name):
            require(_alike(item[name], str(wanted)), f"{says}its {name} is {item[name]!r}")
    if (least := question.get("min_price")) is not None:
        require(float(item["price"]) >= float(str(least)), f"{says}it costs {item['price']}")
    if (most := question.get("max_price")) is not None:
        require(float(item["price"]) <= float(str(most)), f"{says}it costs {item['price']}")
    if isinstance(brand := question.get("brand"), int):
        require(item["brand"] and item["brand"]["id"] == brand, f"{says}its brand is {item['brand']}")
    if q := question.get("q"):
        for word in re.findall(r"[^\W_]{3,}", str(q).lower())[:8]:
            begins = [other for other in re.findall(r"[^\W_]+", item["title"].lower()) if other.startswith(word)]
            # A database's collation may see more words as alike (accents), never fewer.
            require(begins or not word.isascii(), f"{says}no word of {item['title']!r} begins with {word!r}")


def _alike(value: str | None, wanted: str) -> bool:
    return value is not None and value.strip().casefold() == wanted.strip().casefold()


def _in_order(shown: list[Item], sort: str, answer: Answer) -> None:
    if sort == "newest":
        keys = [(item["created_at"], item["id"]) for item in shown]
    else:
        keys = [(float(item["price"]), item["id"]) for item in shown]
    require(keys == sorted(keys, reverse=sort != "price_asc"), f"not in the order {sort}: {answer.request}")


def nodes(visitor: Visitor) -> list[dict[str, Any]]:
    """All categories, parents before children."""
    found = list(check(visitor.get("/api/categories"), 200, CATEGORIES)["categories"])
    for node in found:
        found.extend(node["children"])
    return found


def below(node: dict[str, Any]) -> set[int]:
    """The ids of a category and everything under it."""
    return {node["id"]}.union(*(below(child) for child in node["children"]))


def sample(visitor: Visitor) -> list[Item]:
    """Some listed items, from the newest, the cheapest and the dearest."""
    found = [item for sort in SORTS for item in list_items(visitor, sort=sort, per_page=40)["items"]]
    return list({item["id"]: item for item in found}.values())
