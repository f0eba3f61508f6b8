"""The integer codes of items, and the words that the API says instead."""

from __future__ import annotations

from enum import IntEnum


class ItemStatus(IntEnum):
    """Where an item stands; the word is the name in lower case."""

    PROCESSING = 0  # in a bag being unpacked, never public
    LISTED = 1
    RESERVED = 2
    SOLD = 3
    RETURNED = 4  # came back, not restocked (yet)
    WITHDRAWN = 5

    @property
    def word(self) -> str:
        return self.name.lower()


class Condition(IntEnum):
    """How worn an item is; the word is the name in lower case."""

    NEW_WITH_TAGS = 1
    LIKE_NEW = 2
    GENTLY_USED = 3
    WORN = 4

    @property
    def word(self) -> str:
        return self.name.lower()


PUBLIC_STATUSES = {status.word: status for status in ItemStatus if status is not ItemStatus.PROCESSING}
CONDITIONS = {condition.word: condition for condition in Condition}


def pieces(text: str | None) -> list[str]:
    """A comma-separated column as a list."""
    return [piece for part in (text or "").split(",") if (piece := part.strip(" "))]


def joined(values: list[str]) -> str:
    """A list as a comma-separated column."""
    return ",".join(values)
