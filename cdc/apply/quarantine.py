"""Quarantine as the worker keeps it: events set aside in the transaction of the batch that they failed in.

The table at the target is the truth. What is kept in memory (marks and sums) is read at the start, and grows only when
the transaction that stored an event has been committed.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
import structlog
from pymysql.cursors import Cursor

from cdc.apply.identity import Mark, Marks, digest, is_copied
from cdc.apply.isolate import Aside
from cdc.event import Change, Truncate
from cdc.quarantine import OF_STREAM, Bounds, QuarantineError
from cdc.session import Session
from cdc.state import SCHEMA, Direction

log = structlog.get_logger("stream")


class QuarantineFull(Exception):
    """An event can't be applied, and there is no room to set it aside. Nothing of its batch was committed."""

    def __init__(self, aside: Aside[Change], held: tuple[int, int], bounds: Bounds) -> None:
        super().__init__(
            f"the quarantine is full: {held[0]:,} events of at most {bounds.max_events:,}, {held[1]:,} bytes of at most"
            f" {bounds.max_bytes:,}; the next would be: {aside.error or 'a later event of a row that waits there'}"
        )
        self.change = aside.change


@dataclass(frozen=True)
class Stored:
    """An event in quarantine, by its number. ``error`` None: it waits behind an earlier one."""

    number: int
    change: Change
    error: str | None


class Quarantine:
    """One stream's, through the session that writes its rows. Not for use from several threads."""

    def __init__(self, session: Session, capability: str, direction: Direction, bounds: Bounds) -> None:
        self._session, self._id, self.bounds = session, (capability, str(direction)), bounds
        self._marks: Mapping[str, Marks] = {}
        self._held: frozenset[Mark] = frozenset()
        self._size = self._grown = (0, 0)  # events, bytes: committed; with those of this transaction
        self._new: list[Aside[Change]] = []
        self._elsewhere: deque[Sequence[Aside[Change]]] = deque()

    @property
    def held(self) -> Collection[Mark]:
        """Marks of all that waits: an event that has one of them must wait too. Those of this transaction included."""
        if not self._new:
            return self._held
        return self._held.union(mark for one in self._new for mark in one.marks)

    def held_among(self, changes: Iterable[Change]) -> Collection[Mark]:
        """``held``, or nothing when it is plain at a glance that none of these changes has one of the marks: that costs
        a tenth of marking them all, and is the rule while few rows wait."""
        held = self.held
        if not held:
            return held
        numbers: dict[str, set[int] | None] = {}
        for mark in held:
            marks = self._marks.get(mark[0])
            if marks is None or not marks.one_number:
                numbers[mark[0]] = None
            elif (some := numbers.setdefault(mark[0], set())) is not None:
                some.add(int(mark[2]))
        columns = {table: self._marks[table].key[0].name for table, some in numbers.items() if some is not None}
        for change in changes:
            table = change.table
            if table in numbers:
                some = numbers[table]
                row = change.before if change.op == "d" else change.after
                if some is None or row is None or row.get(columns[table], None) in some:
                    return held
        return ()

    def load(self, marks: Mapping[str, Marks]) -> None:
        """Read what waits; ``marks`` says per source table how its events are marked. Ends the transaction. Raises
        QuarantineError."""
        self._marks, self._new = marks, []
        held, events, size = set[Mark](), 0, 0
        with self._session.cursor() as cursor:
            cursor.execute(f"SELECT event, size FROM {SCHEMA}.quarantine WHERE {OF_STREAM}", self._id)
            for text, bytes_ in cursor.fetchall():
                change = _change(text)
                held.update(self._marks_of_stored(change))
                events, size = events + 1, size + int(bytes_)
        self._session.commit()
        self._held, self._size, self._grown = frozenset(held), (events, size), (events, size)

    def marks_of(self, change: Change) -> tuple[Mark, ...]:
        """Raises KeyError when the event lacks a column of its key."""
        return self._marks[change.table].of(change)

    def add(self, cursor: Cursor, aside: Sequence[Aside[Change]]) -> None:
        """Store these, in order, in the caller's transaction. Raises QuarantineFull."""
        rows, (events, size) = [], self._grown
        for one in aside:
            text = _text(one.change)
            events, size = events + 1, size + len(text)
            if events > self.bounds.max_events or size > self.bounds.max_bytes:
                raise QuarantineFull(one, (events - 1, size - len(text)), self.bounds)
            rows.append(self._row(one, text))
        if rows:
            cursor.executemany(
                f"INSERT INTO {SCHEMA}.quarantine (capability, direction, source_table, key_digest, key_text, op,"
                " event, size, place, error, stored_at)"
                " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, UTC_TIMESTAMP(6))",
                rows,
            )
            self._new, self._grown = [*self._new, *aside], (events, size)

    def truncated(self, cursor: Cursor, event: Truncate) -> None:
        """The rows that wait have gone at the source: a delete waits behind each. In the caller's transaction."""
        cursor.execute(
            f"SELECT event FROM {SCHEMA}.quarantine WHERE id IN (SELECT MAX(id) FROM {SCHEMA}.quarantine"
            f" WHERE {OF_STREAM} AND source_table = %s GROUP BY key_digest) ORDER BY id",
            (*self._id, event.table),
        )
        for (text,) in cursor.fetchall():
            last = _change(text)
            if last.op == "d":
                continue
            gone = Change(0, "d", event.schema, event.table, last.after, None, *event.place)
            self.add(cursor, [Aside(gone, self._marks_of_stored(gone), None)])

    def beside(self, aside: Sequence[Aside[Change]]) -> None:
        """Another session of this stream (the copy's) has stored these, and committed. From any thread; counts from the
        next batch on."""
        self._elsewhere.append(aside)

    def look_beside(self) -> None:
        """Before a batch: what ``beside`` told."""
        while self._elsewhere:
            aside = self._elsewhere.popleft()
            self._held = self._held.union(mark for one in aside for mark in one.marks)
            events, size = self._size
            self._size = (events + len(aside), size + sum(len(_text(one.change)) for one in aside))
        self._grown = self._size

    def committed(self) -> list[Aside[Change]]:
        """What was added is stored; gives it."""
        new, self._held = self._new, frozenset(self.held)
        self._new, self._size = [], self._grown
        return new

    def rolled_back(self) -> None:
        self._new, self._grown = [], self._size

    def of_keys(self, cursor: Cursor, numbers: Iterable[int] | None) -> list[Stored]:
        """All events that share a mark with one of these events (by way of others too), in order; all when None."""
        cursor.execute(f"SELECT id, event, error FROM {SCHEMA}.quarantine WHERE {OF_STREAM} ORDER BY id", self._id)
        found = (Stored(int(row[0]), _change(row[1]), row[2]) for row in cursor.fetchall())
        stored = [one for one in found if one.change.table in self._marks]  # the mapping still reads it
        if numbers is None:
            return stored
        chosen = set(numbers)
        marks = {one.number: set(self._marks_of_stored(one.change)) for one in stored}
        wanted = {mark for number in chosen for mark in marks.get(number, ())}
        while more := [n for n, own in marks.items() if n not in chosen and own & wanted]:
            chosen.update(more)
            wanted.update(mark for number in more for mark in marks[number])
        return [one for one in stored if one.number in chosen]

    def remove(self, cursor: Cursor, numbers: Sequence[int]) -> None:
        """In the caller's transaction; ``load`` afterwards."""
        for start in range(0, len(numbers), 1000):
            some = numbers[start : start + 1000]
            places = ", ".join(["%s"] * len(some))
            cursor.execute(
                f"DELETE FROM {SCHEMA}.quarantine WHERE {OF_STREAM} AND id IN ({places})", (*self._id, *some)
            )

    def explain(self, cursor: Cursor, number: int, error: str | None) -> None:
        """Another error than before, or none. In the caller's transaction."""
        cursor.execute(f"UPDATE {SCHEMA}.quarantine SET error = %s WHERE id = %s", (error, number))

    def forget(self, cursor: Cursor, table: str) -> None:
        """All events of a source table go, because a new copy brings its rows as they are. In the caller's transaction;
        ``load`` afterwards."""
        gone = cursor.execute(
            f"DELETE FROM {SCHEMA}.quarantine WHERE {OF_STREAM} AND source_table = %s", (*self._id, table)
        )
        if gone:
            log.warning("quarantine.forgotten", capability=self._id[0], table=table, events=gone, why="copied again")

    def key_text(self, change: Change) -> str:
        """``id=7``."""
        row = (change.before if change.op == "d" else change.after) or {}
        return ", ".join(f"{name}={value}" for name, value in self._marks[change.table].shown(row).items())

    def _row(self, one: Aside[Change], text: bytes) -> tuple[Any, ...]:
        change = one.change
        return (
            *self._id,
            change.table,
            digest(one.marks[0]),
            self.key_text(change),
            change.op,
            text,
            len(text),
            "copy" if is_copied(change) else str(change.place),
            one.error,
        )

    def _marks_of_stored(self, change: Change) -> tuple[Mark, ...]:
        """Of a table that the mapping no longer reads nothing waits for anything."""
        if change.table not in self._marks:
            return ()
        try:
            return self._marks[change.table].of(change)
        except KeyError as error:
            raise QuarantineError(
                f"an event of {change.table} in quarantine has no column {error.args[0]}, part of the table's key"
                f" now: strangler sync resnapshot {change.table} brings its rows as they are"
            ) from error


def _text(change: Change) -> bytes:
    return orjson.dumps(change._asdict())


def _change(text: bytes) -> Change:
    return Change(**orjson.loads(text))
