"""From hand-overs of the engine to batches that end where a transaction of the source ends. Pure.

A transaction is known to be over when an event of another one follows, or a marker (always a transaction by itself).
The events of the last transaction are held back until then, but not for long: after a short silence, or when there are
too many, they go without that knowledge, which costs no correctness, only that a reader may see half a transaction.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import NamedTuple

from cdc.event import Change, Event, Heartbeat, Marker, SchemaChange, Truncate
from cdc.source.port import Batch

HELD_EVENTS = 20_000
HELD_BYTES = 24 << 20


@dataclass(frozen=True)
class Cut:
    """Events to apply, the offset to store with them, and the transaction that ends with them (None: unknown)."""

    events: list[Event]
    offset: str
    gtid: str | None


class _Piece(NamedTuple):
    batch: Batch
    events: list[Event]
    size: int  # bytes of all events of the hand-over


class Assembler:
    """Collects parsed hand-overs and gives them back cut at the ends of transactions."""

    def __init__(self) -> None:
        self._pieces: deque[_Piece] = deque()

    @property
    def size(self) -> int:
        """How many events wait."""
        return sum(len(piece.events) for piece in self._pieces)

    @property
    def full(self) -> bool:
        """Whether so much waits that an open transaction is not waited for."""
        return self.size > HELD_EVENTS or self.bytes > HELD_BYTES

    @property
    def bytes(self) -> int:
        """At most so many bytes of the engine's JSON wait: a hand-over of which something is left counts whole."""
        return sum(piece.size for piece in self._pieces)

    @property
    def last(self) -> Event | None:
        """The newest that waits."""
        return next((piece.events[-1] for piece in reversed(self._pieces) if piece.events), None)

    def add(self, batch: Batch, events: list[Event], size: int = 0) -> None:
        """Heartbeats are left out: a marker says more. ``size``: bytes of the hand-over's JSON."""
        self._pieces.append(_Piece(batch, [event for event in events if not isinstance(event, Heartbeat)], size))

    def cut(self, *, everything: bool = False) -> Cut | None:
        """All complete transactions, or really all events with ``everything``; None when that is none. A schema change
        comes alone, so that what was before it is committed whatever becomes of it; with all that the engine makes of
        one statement (it tells a renaming of two tables as two), so it is held until something else follows."""
        events = [(piece, event) for piece in self._pieces for event in piece.events]
        if not events:
            self._pieces.clear()
            return None
        end = len(events) if everything else _complete(events)
        end = _at_schema_change(events, end)
        if end == 0:
            return None
        piece, last = events[end - 1]
        rest = events[end:]
        self._pieces.clear()
        for owner, event in rest:
            if self._pieces and self._pieces[-1].batch is owner.batch:
                self._pieces[-1].events.append(event)
            else:
                self._pieces.append(_Piece(owner.batch, [event], owner.size))
        finished = _gtid(last) if _over(last, rest[0][1] if rest else None) else None
        return Cut([event for _, event in events[:end]], piece.batch.offset(last.at), finished)


def _complete(events: list[tuple[_Piece, Event]]) -> int:
    """How many events from the start belong to transactions that are known to be over."""
    for end in range(len(events), 0, -1):
        following = events[end][1] if end < len(events) else None
        if _over(events[end - 1][1], following):
            return end
    return 0


def _at_schema_change(events: list[tuple[_Piece, Event]], end: int) -> int:
    """``end``, or the place of the first schema change before it; when that is the very first event, the end of all
    that its statement makes, or 0 while more of it may come."""
    first = next((i for i in range(end) if isinstance(events[i][1], SchemaChange)), None)
    if first is None or first > 0:
        return end if first is None else first
    place = _place(events[0][1])
    return next((i for i in range(1, len(events)) if _place(events[i][1]) != place), 0)


def _place(event: Event) -> tuple[str, int] | None:
    """Of a schema change."""
    return (event.place.file, event.place.offset) if isinstance(event, SchemaChange) else None


def _over(event: Event, following: Event | None) -> bool:
    """Whether the event's transaction is over after it."""
    if isinstance(event, (Marker, SchemaChange, Truncate)):
        return True
    if not isinstance(event, Change):
        return False
    if event.gtid is None:
        return True  # without GTIDs nothing is known; the stored offset is exact all the same
    return following is not None and _gtid(following) != event.gtid


def _gtid(event: Event) -> str | None:
    if isinstance(event, (Change, Marker)):
        return event.gtid
    if isinstance(event, (SchemaChange, Truncate)):
        return event.place.gtid
    return None
