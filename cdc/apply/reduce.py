"""A batch of changes is reduced to one state per key: where each row stood before the batch, and where it stands after.

Pure. Keys are the source's primary key, as values of the envelope.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any

from cdc.event import Change, Row


@dataclass
class TableBatch:
    """What became of the rows of one source table. ``final`` gives per key the row after the batch, None when it is
    gone; ``first`` the row before it, None when there was none. Both are in the order of each key's first change."""

    final: dict[Any, Row | None] = field(default_factory=dict)
    first: dict[Any, Row | None] = field(default_factory=dict)

    def stored(self) -> list[Row]:
        """The rows that are there after the batch."""
        return [row for row in self.final.values() if row is not None]

    def gone(self, watched: tuple[str, ...]) -> list[Row]:
        """The old images of rows that are gone, and of those whose ``watched`` columns changed."""
        old: list[Row] = []
        for key, final in self.final.items():
            first = self.first[key]
            if first is None:
                continue
            if final is None or any(first[column] != final[column] for column in watched):
                old.append(first)
        return old


class MissingKey(ValueError):
    """A change lacks a column of the primary key."""

    def __init__(self, change: Change, column: str) -> None:
        super().__init__(f"an event on {change.schema}.{change.table} has no column {column} of the primary key")
        self.change = change


def reduce(changes: Iterable[Change], keys: Mapping[str, tuple[str, ...]]) -> dict[str, TableBatch]:
    """Per source table its batch; tables not in ``keys`` (table -> primary key columns) are left out.

    A row that is created and deleted again within the batch is kept as gone, with its last image: harmless, and right
    even if it had been at the target before. Raises MissingKey.
    """
    batches: dict[str, tuple[Any, TableBatch]] = {
        table: (itemgetter(*columns), TableBatch()) for table, columns in keys.items()
    }
    for change in changes:
        found = batches.get(change.table)
        if found is None:
            continue
        key_of, batch = found
        after, before = change.after, change.before
        row = before if change.op == "d" else after
        try:
            key = key_of(row)
        except KeyError as error:
            raise MissingKey(change, str(error.args[0])) from None
        if change.op == "d":
            if batch.first.setdefault(key, before) is None:
                batch.first[key] = before
            batch.final[key] = None
        else:
            batch.first.setdefault(key, before)
            batch.final[key] = after
    return {table: batch for table, (_, batch) in batches.items() if batch.final}


def key_text(change: Change, key: tuple[str, ...]) -> str:
    """The change's primary key for people: ``id=7``."""
    row = (change.before if change.op == "d" else change.after) or {}
    return ", ".join(f"{column}={row.get(column)}" for column in key)
