"""What the embedded engine logs, read as it is written: some of it is said nowhere else.

A statement that a session wrote into the binlog as text, by a binlog format of its own, is no row event. The engine
passes it over with a line in its log; here it is found, so that the tables it names can be copied again.
"""

from __future__ import annotations

import os
import re
import sys
import threading
from collections.abc import Callable

from cdc.mention import mentioned

_PASSED_OVER = re.compile(r"Received DML '(?P<statement>.*)' for processing, binlog probably contains")
MOST = 64 << 10

_lock = threading.Lock()
_listeners: list[Callable[[str], None]] = []
_descriptor: int | None = None


def passed_over(line: str) -> str | None:
    """The statement that a line of the log says was passed over; None for any other line. Pure."""
    found = _PASSED_OVER.search(line)
    return None if found is None else found["statement"]


class Unseen:
    """Tables of one capture that such statements named since last asked. For several threads."""

    def __init__(self, tables: tuple[str, ...]) -> None:
        self._tables, self._found, self._changed = tables, dict[str, str](), threading.Lock()

    def note(self, statement: str) -> None:
        with self._changed:
            for table in mentioned([statement], self._tables):
                self._found[table] = statement[:200]

    def take(self) -> dict[str, str]:
        """Per table a statement that named it. They are forgotten with that."""
        with self._changed:
            found, self._found = self._found, {}
            return found


def listen(listener: Callable[[str], None]) -> None:
    """From now on statements that were passed over are handed to it, on a thread of the log's."""
    with _lock:
        _listeners.append(listener)


def unlisten(listener: Callable[[str], None]) -> None:
    with _lock:
        if listener in _listeners:
            _listeners.remove(listener)


def log_file() -> str:
    """A file for the engine's logger to write to. What it says still goes to standard error."""
    global _descriptor
    with _lock:
        if _descriptor is None:
            reading, _descriptor = os.pipe()
            threading.Thread(target=_read, args=(reading,), name="engine-log", daemon=True).start()
    return f"/proc/self/fd/{_descriptor}"


def _read(reading: int) -> None:
    left = b""
    while piece := os.read(reading, MOST):
        *lines, left = (left + piece).split(b"\n")
        left = left[-MOST:]
        for line in lines:
            text = line.decode("utf-8", "replace")
            sys.stderr.write(text + "\n")
            statement = passed_over(text)
            if statement is not None:
                with _lock:
                    listeners = list(_listeners)
                for listener in listeners:
                    listener(statement)
