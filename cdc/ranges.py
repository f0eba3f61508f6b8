"""Ranges of keys as SQL: everything after one key up to and including another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

Bound = tuple[str, ...]
"""One key as SQL literals, column by column."""


@dataclass(frozen=True)
class KeyRange:
    """Keys above ``after`` and not above ``through``; None is no bound on that side."""

    after: Bound | None = None
    through: Bound | None = None

    def predicate(self, columns: Sequence[str]) -> str:
        """A condition on ``columns`` (SQL, in key order) that an index on them serves; ``TRUE`` without bounds."""
        parts = []
        if self.after is not None:
            parts.append(_beyond(columns, self.after, ">"))
        if self.through is not None:
            parts.append(_beyond(columns, self.through, "<"))
        return " AND ".join(parts) or "TRUE"

    def split(self, middle: Bound) -> tuple[KeyRange, KeyRange]:
        return KeyRange(self.after, middle), KeyRange(middle, self.through)


def _beyond(columns: Sequence[str], bound: Bound, sign: str) -> str:
    """Above (``>``), or not above (``<``), a key of several columns.

    Written out column by column with a plain condition on the first: neither server uses an index for a comparison of
    whole rows.
    """
    equal_last = "=" if sign == "<" else ""
    last = len(columns) - 1
    condition = f"{columns[last]}{sign}{equal_last}{bound[last]}"
    for column, value in zip(reversed(columns[:last]), reversed(bound[:last]), strict=True):
        condition = f"({column}{sign}{value} OR ({column}={value} AND {condition}))"
    return f"{columns[0]}{sign}={bound[0]} AND {condition}" if last else condition
