"""What a visitor may ask of the item list: checked here, in the public API's order and with its words."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from extracted.catalog.schema import AVAILABILITIES, CONDITIONS

DEEPEST = 10_000
SORTS = ("newest", "price_asc", "price_desc")
PUBLIC_AVAILABILITIES = tuple(word for word in AVAILABILITIES if word != "processing")
SHORTEST_WORD = 3
MOST_WORDS = 8

_INTEGER = re.compile(r"\d{1,9}", re.ASCII)
_AMOUNT = re.compile(r"(\d{1,8})(?:\.(\d{1,2}))?", re.ASCII)
_WORD = re.compile(r"[^\W_]+")


class Invalid(Exception):
    """A parameter can't be used: answered with 400. ``field`` is its name."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field
        self.message = message


@dataclass(frozen=True)
class Question:
    """A checked question. Money is in cents. ``words`` is None without ``q``, empty if ``q`` has no usable word."""

    page: int = 1
    per_page: int = 24
    sort: str = "newest"
    availability: str = "listed"
    condition: str | None = None
    min_cents: int | None = None
    max_cents: int | None = None
    category: str | None = None
    brand: str | None = None
    size: str | None = None
    colour: str | None = None
    words: tuple[str, ...] | None = None

    @property
    def offset(self) -> int:
        return (self.page - 1) * self.per_page


def parse(arguments: Mapping[str, str]) -> Question:
    """Raises Invalid naming the first bad parameter. Whether brand and category exist is asked later, in this order:
    category, brand."""
    given = {name: value for name, value in arguments.items() if value != ""}
    page = _integer(given, "page", 1, None, "page must be an integer of 1 or more")
    per_page = _integer(given, "per_page", 24, 100, "per_page must be an integer from 1 to 100")
    if page * per_page > DEEPEST:
        raise Invalid("page", f"page goes deeper than {DEEPEST} results: narrow the filters")
    return Question(
        page=page,
        per_page=per_page,
        sort=_word(given, "sort", SORTS) or "newest",
        availability=_word(given, "status", PUBLIC_AVAILABILITIES) or "listed",
        condition=_word(given, "condition", CONDITIONS),
        min_cents=_cents(given, "min_price"),
        max_cents=_cents(given, "max_price"),
        category=given.get("category"),
        brand=given.get("brand"),
        size=given.get("size"),
        colour=given.get("colour"),
        words=search_words(given["q"]) if "q" in given else None,
    )


def search_words(question: str) -> tuple[str, ...]:
    """The words of three characters or more, lower case, the first eight."""
    return tuple([word for word in _WORD.findall(question.lower()) if len(word) >= SHORTEST_WORD][:MOST_WORDS])


def as_id(text: str) -> int | None:
    """The number, if ``text`` names a row by number rather than by slug."""
    return int(text) if _INTEGER.fullmatch(text) else None


def _integer(given: Mapping[str, str], name: str, default: int, most: int | None, message: str) -> int:
    written = given.get(name)
    if written is None:
        return default
    number = as_id(written)
    if number is None or number < 1 or (most is not None and number > most):
        raise Invalid(name, message)
    return number


def _word(given: Mapping[str, str], name: str, words: Collection[str]) -> str | None:
    written = given.get(name)
    if written is not None and written not in words:
        raise Invalid(name, f"{name} must be one of: {', '.join(words)}")
    return written


def _cents(given: Mapping[str, str], name: str) -> int | None:
    written = given.get(name)
    if written is None:
        return None
    match = _AMOUNT.fullmatch(written)
    if match is None:
        raise Invalid(name, f"{name} must be an amount such as 12.50")
    return int(match[1]) * 100 + int((match[2] or "").ljust(2, "0"))
