"""The stream of one capability: check, copy what was there, follow, and keep saying how it goes.

``run`` is a loop over what is wanted. Each time it is "running", a ``Follower`` (``cdc.follow``) does the work until
something else is wanted or an error ends it; here is decided what an error means: a database that is away is waited
for, anything else stops the stream until somebody asks for it again.
"""

from __future__ import annotations

import threading
import time
from contextlib import closing
from dataclasses import replace
from typing import Any

import pymysql
import structlog
from tenacity import RetryCallState, Retrying, retry_if_exception, stop_when_event_set, wait_exponential

from cdc.explain import explain, waiting_helps, words_of
from cdc.follow import Follower
from cdc.ledger import Ledger
from cdc.marker import Lag
from cdc.release import release
from cdc.report import Command, Reporter
from cdc.session import connection_lost, open_session
from cdc.source import hosting
from cdc.spec import EngineFiles, SourceOf, SpecOf, StreamSpec
from cdc.state import Detail, StreamState, Wanted

__all__ = ["EngineFiles", "StreamSpec", "run"]

FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.25, 10.0

log = structlog.get_logger("stream")


def run(
    spec: StreamSpec, stop: threading.Event, source_of: SourceOf | None = None, *, again: SpecOf | None = None
) -> None:
    """Do what the desk wants until ``stop`` is set. Blocks. Errors stop the stream, not this function: they are told in
    the desk's status, and the stream goes on when somebody asks for it (``StreamDesk.resume``). Before each run
    ``again`` is asked what the stream is now (its name and target stay): mappings and passwords get corrected."""
    _Stream(spec, stop, source_of, again).run()


class _Stream:
    def __init__(
        self, spec: StreamSpec, stop: threading.Event, source_of: SourceOf | None, again: SpecOf | None
    ) -> None:
        self._spec, self._stop, self._source_of, self._again = spec, stop, source_of, again
        self._reporter = Reporter(spec.target, spec.capability, spec.direction)
        self._lag = Lag()
        self._released = 0  # the last request that was carried out while the stream stood still
        self._tries = 0  # runs in a row that ended before they streamed

    def run(self) -> None:
        self._reporter.start()
        failed: int | None = None
        try:
            while not self._stop.is_set():
                command = self._reporter.command
                if command is None or command.asked == failed:
                    if self._reporter.state is StreamState.STOPPED:
                        self._let_out()
                    self._idle(0.5)
                    continue
                failed = None
                self._reporter.answer(command)
                try:
                    self._obey(command)
                except Exception as error:  # noqa: BLE001 - whatever it is, it is told and stops this stream
                    again = self._wait_for_servers(error, command) if waiting_helps(error) else self._stopped(error)
                    failed = None if again else command.asked
        finally:
            self._reporter.end()

    def _obey(self, command: Command) -> None:
        if command.wanted is Wanted.RUNNING:
            self._reporter.say(StreamState.STARTING, error=None, note=None)
            if self._again is not None:
                self._spec = replace(self._again(), target=self._spec.target)
            Follower(self._spec, self._reporter, self._stop, self._lag, self._source_of).follow(command)
        elif command.wanted is Wanted.PAUSED:
            self._reporter.say(StreamState.PAUSED, error=None, note=None, progress=None, rows_per_second=0.0)
            self._idle(1.0)
        else:
            self._be_absent()

    def _let_out(self) -> None:
        """A quarantine that is full stops the stream; what is in it can be let out all the same."""
        request = self._reporter.request
        if request is not None and request > self._released:
            release(self._spec, request)
            self._released = request

    def _be_absent(self) -> None:
        if self._reporter.state is not StreamState.ABSENT:
            with closing(open_session(self._spec.target)) as session:
                ledger = Ledger(session, self._spec.capability, self._spec.direction)
                ledger.take()
                ledger.forget()
            hosting.take_down(self._spec.engine, self._spec.name)
            self._lag, before = Lag(), self._reporter.detail
            self._reporter.begin_anew(StreamState.ABSENT, replace(Detail(), pid=before.pid, answered=before.answered))
        self._reporter.wait_for_news(1.0)

    def _idle(self, seconds: float) -> None:
        """Wait, and let the lag grow meanwhile: nothing is being applied."""
        self._reporter.say(None, lag_seconds=self._lag.age(time.monotonic()))
        self._reporter.wait_for_news(seconds)

    def _stopped(self, error: Exception) -> bool:
        """Tell it. Gives False: the command is not tried again by itself."""
        told = explain(self._spec.capability, error)
        if not self._spec.copies:
            resume = f"sync resume {self._spec.capability}"
            told = replace(told, way_out=told.way_out.replace(resume, f"{resume} --back"))
        log.error("stopped", capability=self._spec.capability, reason=told.message, way_out=told.way_out)
        self._reporter.say(StreamState.STOPPED, error=told, note=None, progress=None, rows_per_second=0.0)
        return False

    def _wait_for_servers(self, why: Exception, command: Command) -> bool:
        """Block until both databases answer again, however long it takes, or something else is wanted. False when one
        answers but refuses the account: then the command has failed."""
        log.warning("retrying", capability=self._spec.capability, reason=words_of(why))
        self._tries = 0 if self._reporter.state is StreamState.STREAMING else self._tries + 1
        self._reporter.say(StreamState.RETRYING, note=words_of(why), rows_per_second=0.0)
        given_up = threading.Event()

        def still_away(state: RetryCallState) -> None:
            error = state.outcome.exception() if state.outcome else None
            if error is not None:
                self._reporter.say(StreamState.RETRYING, note=words_of(error))

        def pause(seconds: float) -> None:
            self._idle(seconds)
            if self._stop.is_set() or self._reporter.asked != command.asked:
                given_up.set()

        attempts = Retrying(
            retry=retry_if_exception(connection_lost),
            wait=wait_exponential(multiplier=0.25, max=5.0),
            stop=stop_when_event_set(given_up),
            sleep=pause,
            before_sleep=still_away,
            reraise=True,
        )
        end = time.monotonic() + min(FIRST_PAUSE_SECONDS * 2 ** min(self._tries, 10), LONGEST_PAUSE_SECONDS)
        while not given_up.is_set() and (left := end - time.monotonic()) > 0:
            pause(left)
        try:
            attempts(self._ask_both)
        except pymysql.err.MySQLError as error:
            if not given_up.is_set():
                return self._stopped(error)
        return True

    def _ask_both(self, *_: Any) -> None:
        for database in (self._spec.source, self._spec.target):
            with closing(open_session(database)) as session, session.cursor() as cursor:
                cursor.execute("SELECT 1")
