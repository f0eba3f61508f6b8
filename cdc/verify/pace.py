"""How fast chunks may be read: a rate, and no faster than a busy source bears."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from cdc.verify.errors import Interrupted, VerifyError
from cdc.verify.side import Sessions

_LOOK_SECONDS = 0.25
_STEP_SECONDS = 0.1


@dataclass(frozen=True)
class Limits:
    """``sessions`` read each side at the same time. A chunk waits while the source runs more than
    ``max_threads_running`` statements of others at once, and so that no more than ``max_rows_per_second`` are read."""

    sessions: int = 2
    chunk_rows: int = 20_000
    max_threads_running: int = 25
    max_rows_per_second: int | None = None


def why_wait(limits: Limits, threads_running: int, due: float, now: float) -> str | None:
    """In words; None when nothing speaks against another chunk. ``threads_running`` are the source's, without ours;
    ``due`` is when the rate allows the next chunk."""
    if threads_running > limits.max_threads_running:
        return f"the source runs {threads_running} statements at once, more than {limits.max_threads_running}"
    if now < due:
        return f"{limits.max_rows_per_second:,} rows a second are allowed"
    return None


class Pace:
    """Of one side of a comparison, or of both where one chunk is of both. ``source`` is looked at, a few times a second
    at most; None where the side may be as busy as it likes. Usable from several threads."""

    def __init__(self, limits: Limits, source: Sessions | None, stop: threading.Event | None = None) -> None:
        self._limits, self._source, self._stop = limits, source, stop
        self._lock = threading.Lock()
        self._asked, self._threads, self._due = float("-inf"), 0, float("-inf")
        self.reason: str | None = None

    def take(self, rows: int, waiting: Callable[[], None] | None = None) -> None:
        """Block until ``rows`` more may be read. ``waiting`` is called now and then meanwhile.

        Raises Interrupted when the comparison is to stop, VerifyError when the source can't be asked.
        """
        while True:
            with self._lock:
                if self._stop is not None and self._stop.is_set():
                    raise Interrupted("the comparison was interrupted")
                now = time.monotonic()
                if self._source is not None and now - self._asked >= _LOOK_SECONDS:
                    self._threads, self._asked = others_running(self._source), now
                self.reason = why_wait(self._limits, self._threads, self._due, now)
                if self.reason is None:
                    if self._limits.max_rows_per_second:
                        self._due = max(self._due, now) + rows / self._limits.max_rows_per_second
                    return
            if waiting is not None:
                waiting()
            self._rest()

    def _rest(self) -> None:
        if self._stop is not None:
            self._stop.wait(_STEP_SECONDS)
        else:
            time.sleep(_STEP_SECONDS)


def others_running(sessions: Sessions) -> int:
    """Statements that the server runs now, without those of ``sessions``. Those that send the binlog count as well."""
    with sessions.session() as session, session.cursor() as cursor:
        cursor.execute("SHOW GLOBAL STATUS LIKE 'Threads_running'")
        row = cursor.fetchone()
        ours = sessions.busy
    if row is None:
        raise VerifyError(f"the {sessions.name} side does not tell its Threads_running")
    return max(0, int(row[1]) - ours)
