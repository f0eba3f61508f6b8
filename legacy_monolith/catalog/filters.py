"""What a visitor may ask of the item list, checked in the order and with the words of ``API.md``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, TypeVar

from legacy_monolith import money
from legacy_monolith.catalog.vocabulary import CONDITIONS, PUBLIC_STATUSES, Condition, ItemStatus
from legacy_monolith.web.errors import invalid

V = TypeVar("V")

DEEPEST = 10_000
SORTS = ("newest", "price_asc", "price_desc")
SHORTEST_WORD = 3
MOST_WORDS = 8

_INTEGER = re.compile(r"\d{1,9}", re.ASCII)
_WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True)
class Filters:
    """A checked question. ``words`` is None without ``q``, empty if ``q`` has no usable word."""

    page: int = 1
    per_page: int = 24
    sort: str = "newest"
    status: ItemStatus = ItemStatus.LISTED
    condition: Condition | None = None
    min_price: Decimal | None = None
    max_price: Decimal | None = None
    category: str | None = None
    brand: str | None = None
    size: str | None = None
    colour: str | None = None
    words: tuple[str, ...] | None = None

    @property
    def offset(self) -> int:
        return (self.page - 1) * self.per_page


def parse_filters(arguments: Mapping[str, str]) -> Filters:
    """Raises ApiError 400 naming the first bad parameter. Whether brand and category exist is asked later."""
    given = {name: value for name, value in arguments.items() if value != ""}
    page = _integer(given, "page", 1, None, "page must be an integer of 1 or more")
    per_page = _integer(given, "per_page", 24, 100, "per_page must be an integer from 1 to 100")
    if page * per_page > DEEPEST:
        raise invalid("page", f"page goes deeper than {DEEPEST} results: narrow the filters")
    return Filters(
        page=page,
        per_page=per_page,
        sort=_one_of(given, "sort", {sort: sort for sort in SORTS}) or "newest",
        status=_one_of(given, "status", PUBLIC_STATUSES) or ItemStatus.LISTED,
        condition=_one_of(given, "condition", CONDITIONS),
        min_price=_amount(given, "min_price"),
        max_price=_amount(given, "max_price"),
        category=given.get("category"),
        brand=given.get("brand"),
        size=given.get("size"),
        colour=given.get("colour"),
        words=search_words(given["q"]) if "q" in given else None,
    )


def search_words(question: str) -> tuple[str, ...]:
    """The words of three characters or more, lower case, the first eight."""
    words = [word for word in _WORD.findall(question.lower()) if len(word) >= SHORTEST_WORD]
    return tuple(words[:MOST_WORDS])


def is_id(text: str) -> bool:
    """Whether ``text`` names a row by number rather than by slug."""
    return _INTEGER.fullmatch(text) is not None


def _integer(given: Mapping[str, str], name: str, default: int, most: int | None, message: str) -> int:
    written = given.get(name)
    if written is None:
        return default
    if not is_id(written) or int(written) < 1 or (most is not None and int(written) > most):
        raise invalid(name, message)
    return int(written)


def _one_of(given: Mapping[str, str], name: str, words: Mapping[str, V]) -> V | None:
    written = given.get(name)
    if written is None:
        return None
    if written not in words:
        raise invalid(name, f"{name} must be one of: {', '.join(words)}")
    return words[written]


def _amount(given: Mapping[str, str], name: str) -> Decimal | None:
    written = given.get(name)
    if written is None:
        return None
    amount = money.parse(written)
    if amount is None:
        raise invalid(name, f"{name} must be an amount such as 12.50")
    return amount


def _parameter(name: str, schema: dict[str, Any], description: str) -> dict[str, Any]:
    return {"in": "query", "name": name, "required": False, "schema": schema, "description": description}


_TEXT = {"type": "string"}
_AMOUNT = {"type": "string", "pattern": r"^\d{1,8}(\.\d{1,2})?$"}
PARAMETERS = (
    _parameter("q", _TEXT, "words of three letters or more; every one must begin a word of the title"),
    _parameter("category", _TEXT, "id or slug; its subtree is included"),
    _parameter("brand", _TEXT, "id or slug"),
    _parameter("size", _TEXT, "exact"),
    _parameter("colour", _TEXT, "exact"),
    _parameter("condition", {"type": "string", "enum": list(CONDITIONS)}, "how worn"),
    _parameter("min_price", _AMOUNT, "inclusive"),
    _parameter("max_price", _AMOUNT, "inclusive"),
    _parameter("status", {"type": "string", "enum": list(PUBLIC_STATUSES), "default": "listed"}, "availability"),
    _parameter("sort", {"type": "string", "enum": list(SORTS), "default": "newest"}, "order"),
    _parameter("page", {"type": "integer", "minimum": 1, "default": 1}, "page * per_page reaches to 10,000"),
    _parameter("per_page", {"type": "integer", "minimum": 1, "maximum": 100, "default": 24}, "items on a page"),
)
