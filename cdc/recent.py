"""The rows that a stream changed last, by key: a sample for whoever looks at hot rows again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from cdc.event import Change, Event


class Recent:
    """The last ``most`` keys; none are kept with 0. What it costs a batch is bounded by ``most``, not by its size."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._keys: dict[tuple[str, tuple[Any, ...]], dict[str, Any]] = {}

    def add(self, events: Sequence[Event], keys: Mapping[str, tuple[str, ...]]) -> None:
        """``keys`` are the primary key columns of mapped source tables; other events are passed over."""
        if not self._most:
            return
        for event in events[-self._most :]:
            if isinstance(event, Change) and event.table in keys:
                row = (event.before if event.op == "d" else event.after) or {}
                key = {column: row.get(column) for column in keys[event.table]}
                place = event.table, tuple(map(str, key.values()))
                self._keys.pop(place, None)
                self._keys[place] = key
        while len(self._keys) > self._most:
            del self._keys[next(iter(self._keys))]

    @property
    def rows(self) -> tuple[tuple[str, dict[str, Any]], ...]:
        """Source table and primary key as in events, the newest last."""
        return tuple((table, key) for (table, _), key in self._keys.items())
