"""Whose turn it is to write: the stream, or sessions that write chunks. For several threads; no I/O.

A chunk may be written once the stream has passed the marker that was written after the chunk was read, and not while
the stream writes tables that the chunk also writes. Chunks of that kind go first: the stream waits for them, which it
may, because none of them can come again without another marker.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(eq=False)
class _Turn:
    high: int
    tables: frozenset[str]


class Ended(Exception):
    """The copy is being ended; what was begun is not to be written."""


class Turns:
    """``arrived`` is the number of the last marker that the stream has passed."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._arrived = -1
        self._waiting: set[_Turn] = set()
        self._writing: set[_Turn] = set()
        self._stream: frozenset[str] = frozenset()
        self._ended = False

    @contextmanager
    def turn(self, high: int, tables: frozenset[str]) -> Iterator[None]:
        """Block until the stream has passed marker ``high``, then keep it off these tables for the block.

        Raises Ended.
        """
        turn = _Turn(high, tables)
        with self._changed:
            self._waiting.add(turn)
            try:
                while not self._ended and (self._arrived < high or self._stream & tables):
                    self._changed.wait()
                if self._ended:
                    raise Ended
                self._writing.add(turn)
            finally:
                self._waiting.discard(turn)
        try:
            yield
        finally:
            with self._changed:
                self._writing.discard(turn)
                self._changed.notify_all()

    def stream_begins(self, tables: frozenset[str], stopped: Callable[[], bool] = lambda: False) -> None:
        """Before the stream writes these tables: block until no chunk of theirs is being written, or may be.

        Raises Ended, also when ``stopped`` says so.
        """
        with self._changed:
            while any(turn.tables & tables for turn in (*self._writing, *self._ready())):
                if self._ended or stopped():
                    raise Ended
                self._changed.wait(0.5)
            self._stream = tables

    def stream_ended(self, marker: int | None = None) -> None:
        """What the stream wrote is committed, and with it all up to ``marker``."""
        with self._changed:
            self._stream = frozenset()
            if marker is not None:
                self._arrived = max(self._arrived, marker)
            self._changed.notify_all()

    def end(self) -> None:
        """Let nobody write any more; whoever is writing finishes."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    @property
    def ended(self) -> bool:
        return self._ended

    def _ready(self) -> list[_Turn]:
        return [turn for turn in self._waiting if turn.high <= self._arrived]
