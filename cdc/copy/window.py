"""Windows: which keys the stream has seen since a chunk began to be read. Pure, and safe to use from several threads.

A chunk is read at some moment between two places of the stream, and written when the stream has passed the second.
Whatever the stream has said about a key meanwhile is newer than what was read, or the same; so those keys are left out
of the chunk, and what remains is neither older than what stands at the target nor a row that was deleted.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any

from cdc.event import Change, Event, SchemaChange, Truncate

MOST_KEYS = 200_000

Key = tuple[Any, ...]
"""Values of the envelope, in the order of the source's primary key."""


@dataclass(eq=False)
class Window:
    """One chunk's. ``spoilt`` says why the chunk must be read again; None while it is good."""

    table: str
    start: int
    spoilt: str | None = None


@dataclass
class _Log:
    """Keys in the order they were seen; ``first`` is the number of the first that is still kept."""

    key_of: Any
    first: int = 0
    keys: list[Key] = field(default_factory=list)
    windows: set[Window] = field(default_factory=set)

    def see(self, change: Change, most: int) -> None:
        try:
            self.keys.append(self.key_of(change.before if change.op == "d" else change.after))
        except (KeyError, TypeError):
            self.spoil("a change came without its key")  # which the applier refuses, in its own words
        if len(self.keys) > most:
            self.spoil("too many changes meanwhile")

    def spoil(self, why: str) -> None:
        for window in self.windows:
            window.spoilt = window.spoilt or why
        self.first += len(self.keys)
        self.keys.clear()

    def forget(self) -> None:
        """What no window needs any more."""
        kept = min((w.start for w in self.windows if w.spoilt is None), default=self.first + len(self.keys))
        if kept > self.first:
            del self.keys[: kept - self.first]
            self.first = kept


class Windows:
    """All windows that are open. ``keys`` are the primary keys of the source tables; ``most`` bounds the keys that are
    kept of a table: beyond it its windows are spoilt, so that memory stays small under a burst of changes."""

    def __init__(self, keys: Mapping[str, tuple[str, ...]], most: int = MOST_KEYS) -> None:
        self._lock, self._most = threading.Lock(), most
        self._logs = {table: _Log(_getter(columns)) for table, columns in keys.items()}

    def open(self, table: str) -> Window:
        """From now on the keys of the table's changes are kept."""
        with self._lock:
            log = self._logs[table]
            window = Window(table, log.first + len(log.keys))
            log.windows.add(window)
            return window

    def note(self, events: Iterable[Event]) -> None:
        """Events that are about to be applied, in order."""
        with self._lock:
            for event in events:
                if isinstance(event, Change):
                    log = self._logs.get(event.table)
                    if log is not None and log.windows:
                        log.see(event, self._most)
                elif isinstance(event, Truncate):
                    if event.table in self._logs:
                        self._logs[event.table].spoil("the table was emptied meanwhile")
                elif isinstance(event, SchemaChange):
                    for _, table in event.tables:
                        if table in self._logs:
                            self._logs[table].spoil("the table was altered meanwhile")

    def spoil(self, tables: Iterable[str], why: str) -> None:
        """Chunks of these tables that are under way must be read again."""
        with self._lock:
            for table in tables:
                if table in self._logs:
                    self._logs[table].spoil(why)

    def close(self, window: Window) -> list[Key] | None:
        """The different keys that were seen since the window was opened; None when it is spoilt. Safe to repeat."""
        with self._lock:
            log = self._logs[window.table]
            keys = None
            if window.spoilt is None and window in log.windows:
                keys = list(dict.fromkeys(log.keys[window.start - log.first :]))
            log.windows.discard(window)
            log.forget()
            return keys

    def kept(self, table: str) -> int:
        """How many keys are kept of the table."""
        with self._lock:
            return len(self._logs[table].keys)


def _getter(columns: tuple[str, ...]) -> Any:
    """As ``itemgetter``, but a tuple also of one column."""
    if len(columns) > 1:
        return itemgetter(*columns)
    (column,) = columns
    return lambda row: (row[column],)
