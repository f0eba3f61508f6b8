"""Letting events out of quarantine: what was asked for at the desk, done by the worker between two batches."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pymysql
import structlog
from pymysql.cursors import Cursor

from cdc.apply.applier import Applier
from cdc.apply.identity import is_copied
from cdc.apply.isolate import isolate
from cdc.apply.quarantine import Quarantine, Stored
from cdc.apply.refusal import REFUSALS, Refused
from cdc.apply.text import copied_text, load_text
from cdc.event import Change
from cdc.quarantine import OF_STREAM, Action, QuarantineError
from cdc.session import Session, try_again
from cdc.state import SCHEMA, Direction

log = structlog.get_logger("stream")


@dataclass(frozen=True)
class Released:
    """``applied`` are at the target now. ``waiting`` are still there: what is wrong with each, None for those that wait
    behind another. ``rows``: by target table, the row that a discarded event was about, as it is now; None: none."""

    applied: tuple[int, ...]
    discarded: tuple[int, ...]
    waiting: tuple[tuple[Stored, str | None], ...]
    rows: dict[str, dict[str, Any] | None]

    def to_json(self, quarantine: Quarantine) -> dict[str, Any]:
        return {
            "applied": list(self.applied),
            "discarded": list(self.discarded),
            "waiting": [
                {"number": s.number, "table": s.change.table, "key": quarantine.key_text(s.change), "error": error}
                for s, error in self.waiting
            ],
            "rows": self.rows,
        }


class NothingThere(Exception):
    """No such event is in quarantine."""


class Releaser:
    """Carries out requests through the session that writes the stream's rows. One thread."""

    def __init__(
        self,
        session: Session,
        applier: Applier,
        quarantine: Quarantine,
        capability: str,
        direction: Direction,
        fence: Callable[[Cursor], None],
    ) -> None:
        """``fence`` raises, in the transaction, for a worker that another one has replaced."""
        self._session, self._applier, self._quarantine, self._fence = session, applier, quarantine, fence
        self._id = (capability, str(direction))
        self._done = 0

    def look(self, request: int | None) -> None:
        """Carry out everything that waits, when ``request`` is newer than what was carried out. Raises
        pymysql.err.MySQLError for trouble with the connection or locks: the request stays."""
        if request is None or request <= self._done:
            return
        while self._next():
            pass
        self._done = request

    def _next(self) -> bool:
        self._session.begin()
        with self._session.cursor() as cursor:
            cursor.execute(
                f"SELECT id, action, events FROM {SCHEMA}.quarantine_request WHERE {OF_STREAM} AND answer IS NULL"
                " ORDER BY id LIMIT 1 FOR UPDATE",
                self._id,
            )
            row = cursor.fetchone()
            if row is None:
                self._session.rollback()
                return False
            self._fence(cursor)
            self._applier.enter(cursor)
            request, action = int(row[0]), Action(row[1])
            numbers = None if row[2] is None else [int(n) for n in json.loads(row[2])]
            try:
                released = (
                    self._discard(cursor, numbers or []) if action is Action.DISCARD else self._retry(cursor, numbers)
                )
                answer = released.to_json(self._quarantine)
            except (Refused, NothingThere, QuarantineError) as error:
                self._session.rollback()
                self._session.begin()
                answer = {"refused": str(error)}
            cursor.execute(
                f"UPDATE {SCHEMA}.quarantine_request SET answer = %s WHERE id = %s",
                (json.dumps(answer, default=_plain), request),
            )
            cursor.execute(  # of those who asked and did not wait
                f"DELETE FROM {SCHEMA}.quarantine_request WHERE {OF_STREAM} AND answer IS NOT NULL"
                " AND asked_at < UTC_TIMESTAMP(6) - INTERVAL 1 DAY",
                self._id,
            )
        self._session.commit()
        self._quarantine.load(self._applier.plan.marks)
        log.info("quarantine.request", capability=self._id[0], action=str(action), answer=answer)
        return True

    def _retry(self, cursor: Cursor, numbers: Sequence[int] | None) -> Released:
        stored = self._quarantine.of_keys(cursor, numbers)
        if numbers and not stored:
            raise NothingThere("there is no such event in quarantine any more")
        applied, waiting = self._apply(cursor, stored)
        return Released(applied, (), waiting, {})

    def _discard(self, cursor: Cursor, numbers: Sequence[int]) -> Released:
        """What waits behind a discarded event that had failed is applied."""
        stored = self._quarantine.of_keys(cursor, numbers)
        gone = [one for one in stored if one.number in numbers]
        if not gone:
            raise NothingThere("there is no such event in quarantine any more")
        self._quarantine.remove(cursor, [one.number for one in gone])
        rest = [one for one in stored if one.number not in numbers]
        if any(one.error is not None for one in gone):
            applied, waiting = self._apply(cursor, rest)
        else:
            applied, waiting = (), tuple((one, one.error) for one in rest)
        return Released(applied, tuple(one.number for one in gone), waiting, self._rows(cursor, gone[-1].change))

    def _apply(
        self, cursor: Cursor, stored: Sequence[Stored]
    ) -> tuple[tuple[int, ...], tuple[tuple[Stored, str | None], ...]]:
        """In order; numbers of those that went in, and those that still don't, with what is wrong."""
        keys = {one.number: self._quarantine.marks_of(one.change)[0] for one in stored}
        last = {keys[one.number]: one.number for one in stored}
        # whatever came after a row of the copy has the whole row too
        older = {one.number for one in stored if is_copied(one.change) and last[keys[one.number]] != one.number}
        aside = isolate(
            [one for one in stored if one.number not in older],
            lambda some: self._applier.attempt(
                cursor,
                [one.change for one in some if not is_copied(one.change)],
                [one.change for one in some if is_copied(one.change)],
            ),
            lambda one: self._quarantine.marks_of(one.change),
            (),
            len(stored),
        )
        errors = {one.change.number: one.error for one in aside}
        for failed in aside:
            for number in older:
                if keys[number] == keys[failed.change.number]:
                    errors.setdefault(number, failed.error)
        waiting = tuple((one, errors[one.number]) for one in stored if one.number in errors)
        applied = tuple(one.number for one in stored if one.number not in errors)
        self._quarantine.remove(cursor, applied)
        for one, error in waiting:
            if error != one.error:
                self._quarantine.explain(cursor, one.number, error)
        return applied, waiting

    def _rows(self, cursor: Cursor, change: Change) -> dict[str, dict[str, Any] | None]:
        """By target table, the row the event was about. Empty where its key can't be worked out."""
        source = self._applier.plan.sources.get(change.table)
        row = change.before if change.op == "d" else change.after
        if source is None or row is None:
            return {}
        rows: dict[str, dict[str, Any] | None] = {}
        cursor.execute("SAVEPOINT strangler_rows")
        try:
            source.staging.empty(cursor)
            copied = is_copied(change)
            text = (copied_text if copied else load_text)([row], source.staging.names)
            source.staging.load(cursor, source.staging.after, text, copied=copied)
            for writer in source.writers:
                cursor.execute(writer.found())
                found = cursor.fetchone()
                names = [column[0] for column in cursor.description or ()]
                rows[writer.mapping.table] = None if found is None else dict(zip(names, found, strict=True))
        except REFUSALS as error:
            if isinstance(error, pymysql.err.MySQLError) and try_again(error):
                raise
            rows = {}
        cursor.execute("ROLLBACK TO SAVEPOINT strangler_rows")
        return rows


def _plain(value: object) -> str:
    return "0x" + value.hex() if isinstance(value, bytes) else str(value)
