"""Quarantine as seen from outside the stream's worker: what is in it, and asking for it to be let out.

The tables are in the schema ``strangler`` of the target's server. Only the worker changes what is in quarantine
(``cdc.apply.quarantine``); ``QuarantineDesk`` reads it, and leaves requests that the worker carries out between two
batches.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

import orjson
import pymysql

from cdc.database import Database
from cdc.session import Session, open_session
from cdc.state import MISSING, SCHEMA, Direction, StreamDesk, Summary, read_summary

OF_STREAM = "capability = %s AND direction = %s"
_POLL_SECONDS = 0.1


@dataclass(frozen=True)
class Bounds:
    """How much one stream may set aside before it stops. ``max_keys_at_once``: of one batch."""

    max_events: int = 1000
    max_bytes: int = 64 * 1024 * 1024
    max_keys_at_once: int = 100

    @property
    def most_keys(self) -> int:
        """How many refused rows of one batch may be set aside; none where nothing may."""
        return self.max_keys_at_once if self.max_events else 0


class Action(StrEnum):
    RETRY = "retry"
    DISCARD = "discard"


class QuarantineError(Exception):
    """What was asked for can't be: no such event, or nobody there to do it."""


@dataclass(frozen=True)
class HeldEvent:
    """One event in quarantine. ``error`` says why it could not be applied; None: it waits behind an earlier one of its
    key. ``waiting_behind``: how many later events of its key wait for it. ``event`` is None where only a list was asked
    for."""

    capability: str
    number: int
    table: str
    key: str
    op: str
    position: str
    error: str | None
    waiting_behind: int
    stored_at: datetime
    bytes: int
    event: dict[str, Any] | None = None
    direction: Direction = Direction.TO_NEW

    @property
    def id(self) -> str:
        """What people call it: ``catalog-12``, or ``catalog.back-12`` of the way back."""
        return f"{self.direction.named(self.capability)}-{self.number}"

    def to_json(self) -> dict[str, Any]:
        return {"id": self.id, **{name: value for name, value in vars(self).items() if name != "number"}}


class QuarantineDesk:
    """One stream's quarantine. Each call opens a session of its own; all raise pymysql.err.MySQLError when the target
    can't be reached."""

    def __init__(self, target: Database, capability: str, direction: Direction = Direction.TO_NEW) -> None:
        self.target, self.capability, self.direction = target, capability, direction

    @property
    def _id(self) -> tuple[str, str]:
        return self.capability, str(self.direction)

    def heads(self) -> list[HeldEvent]:
        """The first event of every key, in the order in which the keys came here."""
        query = (
            "SELECT q.id, q.source_table, q.key_text, q.place, q.error, g.events - 1, q.stored_at, q.size, q.op, NULL"
            f" FROM {SCHEMA}.quarantine q JOIN (SELECT MIN(id) id, COUNT(*) events FROM {SCHEMA}.quarantine"
            f" WHERE {OF_STREAM} GROUP BY source_table, key_digest) g USING (id) ORDER BY q.id"
        )
        return [self._event(row) for row in self._rows(query, self._id)]

    def of_key(self, number: int) -> list[HeldEvent]:
        """All events of the key that event ``number`` is about, in order, whole. Empty when there is no such event."""
        query = (
            "SELECT q.id, q.source_table, q.key_text, q.place, q.error, 0, q.stored_at, q.size, q.op, q.event"
            f" FROM {SCHEMA}.quarantine q JOIN {SCHEMA}.quarantine n"
            " USING (capability, direction, source_table, key_digest)"
            f" WHERE n.id = %s AND {OF_STREAM} ORDER BY q.id"
        )
        rows = self._rows(query, (number, *self._id))
        return [self._event((*row[:5], len(rows) - place, *row[6:])) for place, row in enumerate(rows, 1)]

    def summary(self) -> Summary:
        with closing(open_session(self.target, schema=False)) as session:
            return read_summary(session, self._id)

    def ask(self, action: Action, numbers: Sequence[int] | None, timeout_seconds: float) -> dict[str, Any]:
        """Have the worker retry the keys of these events (None: of all), or discard exactly these events; its answer,
        as ``cdc.apply.release.Released.to_json`` gives it.

        Raises QuarantineError when the worker says why not, or does not answer in time: then the request is withdrawn.
        """
        StreamDesk(self.target, self.capability, self.direction).create()
        with closing(open_session(self.target, schema=False)) as session, session.cursor() as cursor:
            cursor.execute("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED")
            cursor.execute(
                f"INSERT INTO {SCHEMA}.quarantine_request (capability, direction, action, events, asked_at)"
                " VALUES (%s, %s, %s, %s, UTC_TIMESTAMP(6))",
                (*self._id, str(action), None if numbers is None else json.dumps(list(numbers))),
            )
            request = cursor.lastrowid
            session.commit()
            until = time.monotonic() + timeout_seconds
            while (answer := self._answer(session, request)) is None and time.monotonic() < until:
                time.sleep(_POLL_SECONDS)
            if answer is None:  # waits for a worker that has begun, and then finds its answer
                cursor.execute(f"DELETE FROM {SCHEMA}.quarantine_request WHERE id = %s AND answer IS NULL", (request,))
                session.commit()
                answer = self._answer(session, request)
            if answer is None:
                raise QuarantineError(f"the stream's worker did not answer within {timeout_seconds:.0f} s")
            cursor.execute(f"DELETE FROM {SCHEMA}.quarantine_request WHERE id = %s", (request,))
            session.commit()
        found: dict[str, Any] = json.loads(answer)
        if "refused" in found:
            raise QuarantineError(found["refused"])
        return found

    def _answer(self, session: Session, request: int) -> str | None:
        with session.cursor() as cursor:
            cursor.execute(f"SELECT answer FROM {SCHEMA}.quarantine_request WHERE id = %s", (request,))
            row = cursor.fetchone()
        session.commit()
        return None if row is None or row[0] is None else str(row[0])

    def _event(self, row: tuple[Any, ...]) -> HeldEvent:
        number, table, key, place, error, behind, stored_at, size, op, event = row
        return HeldEvent(
            capability=self.capability,
            number=int(number),
            table=str(table),
            key=str(key),
            op=str(op),
            position=str(place),
            error=error,
            waiting_behind=int(behind),
            stored_at=stored_at.replace(tzinfo=UTC),
            bytes=int(size),
            event=None if event is None else orjson.loads(event),
            direction=self.direction,
        )

    def _rows(self, query: str, arguments: tuple[Any, ...]) -> list[tuple[Any, ...]]:
        with closing(open_session(self.target, schema=False)) as session, session.cursor() as cursor:
            try:
                cursor.execute(query, arguments)
            except pymysql.err.MySQLError as error:
                if error.args and error.args[0] in MISSING:
                    return []
                raise
            return list(cursor.fetchall())
