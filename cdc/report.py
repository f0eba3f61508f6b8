"""The worker's side of the desk: once a second what is wanted is read, and what goes on is written."""

from __future__ import annotations

import json
import os
import threading
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

import pymysql

from cdc.database import Database
from cdc.session import Session, open_session
from cdc.state import SCHEMA, Detail, Direction, StreamDesk, StreamState, Wanted

EVERY_SECONDS = 1.0
_KEY = "capability = %s AND direction = %s"


@dataclass(frozen=True)
class Command:
    """What is wanted. ``asked`` grows with every request; ``copy_again`` names tables to copy again (empty: all),
    and is None when nothing is to be copied again."""

    wanted: Wanted
    asked: int
    copy_again: tuple[str, ...] | None = None


class Reporter(threading.Thread):
    """Runs until ``end``. While the target is away it keeps trying: what is said then is written when it is back."""

    def __init__(self, target: Database, capability: str, direction: Direction) -> None:
        super().__init__(name=f"reporter-{capability}", daemon=True)
        self._target, self._id = target, (capability, str(direction))
        self._desk = StreamDesk(target, capability, direction)
        self._lock, self._wake, self._ended = threading.Lock(), threading.Event(), threading.Event()
        self._news = threading.Event()
        self._state, self._detail = StreamState.STARTING, Detail(pid=os.getpid())
        self._command: Command | None = None
        self._request: int | None = None
        self._session: Session | None = None
        self.trouble: str | None = None

    @property
    def command(self) -> Command | None:
        """The newest known; None until the target could be asked for the first time."""
        return self._command

    @property
    def asked(self) -> int | None:
        """The number of the newest command known."""
        return None if self._command is None else self._command.asked

    @property
    def request(self) -> int | None:
        """The newest request to let something out of quarantine that was not answered when last looked."""
        return self._request

    @property
    def state(self) -> StreamState:
        return self._state

    @property
    def detail(self) -> Detail:
        return self._detail

    def say(self, state: StreamState | None, **changes: Any) -> None:
        """Change the state (None: as it is) and fields of the detail. Written within a second; at once when the state
        is another."""
        with self._lock:
            new = state is not None and state is not self._state
            self._state, self._detail = state or self._state, replace(self._detail, **changes)
        if new:
            self._wake.set()

    def answer(self, command: Command) -> None:
        """From now on what is said is about this command; an error of an earlier one is not."""
        with self._lock:
            if self._detail.answered == command.asked:
                return
            self._detail = replace(self._detail, answered=command.asked, error=None, note=None)
            if command.wanted is Wanted.RUNNING:
                self._state = StreamState.STARTING

    def begin_anew(self, state: StreamState, detail: Detail) -> None:
        """Forget all that was said."""
        with self._lock:
            self._state, self._detail = state, detail
        self._wake.set()

    def wait_for_news(self, seconds: float) -> None:
        """Block until the command may have changed, at most so long."""
        self._news.wait(seconds)
        self._news.clear()

    def copied_again(self, command: Command) -> None:
        """Take back a request to copy again that has been carried out. Raises pymysql.err.MySQLError."""
        with open_session(self._target, schema=False) as session, session.cursor() as cursor:
            cursor.execute(
                f"UPDATE {SCHEMA}.stream SET copy_again = NULL WHERE {_KEY} AND asked = %s", (*self._id, command.asked)
            )
            session.commit()
        if self._command is not None and self._command.asked == command.asked:
            self._command = replace(self._command, copy_again=None)

    def end(self) -> None:
        """Write the last word and stop."""
        self._ended.set()
        self._wake.set()
        self.join(10)

    def run(self) -> None:
        while True:
            last = self._ended.is_set()
            try:
                self._exchange()
                self.trouble = None
            except (pymysql.err.MySQLError, OSError) as error:
                self.trouble = str(error.args[-1] if error.args else error)
                self._close()
            if last:
                self._close()
                return
            self._wake.wait(EVERY_SECONDS)
            self._wake.clear()

    def _exchange(self) -> None:
        if self._session is None:
            self._desk.create()
            self._session = open_session(self._target, schema=False)
            with self._session.cursor() as cursor:
                cursor.execute("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED")
        with self._lock:
            state, detail = self._state, self._detail
        with self._session.cursor() as cursor:
            cursor.execute(
                f"UPDATE {SCHEMA}.stream SET state = %s, detail = %s, heartbeat = UTC_TIMESTAMP(6) WHERE {_KEY}",
                (str(state), detail.to_json(), *self._id),
            )
            cursor.execute(f"SELECT wanted, asked, copy_again FROM {SCHEMA}.stream WHERE {_KEY}", self._id)
            row = cursor.fetchone()
            cursor.execute(f"SELECT MAX(id) FROM {SCHEMA}.quarantine_request WHERE {_KEY} AND answer IS NULL", self._id)
            request = cursor.fetchone()
        self._session.commit()
        self._request = request[0] if request else None
        if self._request is not None:
            self._news.set()
        if row is not None:
            again = None if row[2] is None else tuple(json.loads(row[2]))
            command = Command(Wanted(row[0]), int(row[1]), again)
            if command != self._command:
                self._command = command
                self._news.set()

    def _close(self) -> None:
        if self._session is not None:
            with suppress(pymysql.err.MySQLError):
                self._session.close()
            self._session = None
