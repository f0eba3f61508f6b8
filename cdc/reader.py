"""Hand-overs of a source, parsed on a thread of their own: while the target is busy with a batch, the next is read."""

from __future__ import annotations

import threading
import time
from collections import deque
from typing import NamedTuple

from cdc.event import Event, parse
from cdc.source.port import Batch, Source

WAITING_EVENTS = 4096
WAITING_BYTES = 16 << 20
_POLL_SECONDS = 0.2


class Read(NamedTuple):
    """A hand-over and its events; ``size`` are the bytes of its JSON."""

    batch: Batch
    events: list[Event]
    size: int


class Reader:
    """Reads a source that has been started, until ``close``; the source itself is closed by whoever started it.

    Events come out in the source's order. At most ``WAITING_EVENTS``, or ``WAITING_BYTES`` of JSON, and one hand-over
    wait: then the source waits.
    """

    def __init__(self, source: Source) -> None:
        self._source = source
        self._waiting: deque[Read] = deque()
        self._events = self._bytes = 0
        self._changed = threading.Condition()
        self._closed = False
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="reader", daemon=True)
        self._thread.start()

    def poll(self, timeout_seconds: float) -> Read | None:
        """The next hand-over and its events, or None when there was none in time.

        Raises SourceError and EventError, once everything before them was given out.
        """
        until = time.monotonic() + timeout_seconds
        with self._changed:
            while not self._waiting:
                if self._error is not None:
                    raise self._error
                left = until - time.monotonic()
                if left <= 0:
                    return None
                self._changed.wait(left)
            read = self._waiting.popleft()
            self._events -= len(read.events)
            self._bytes -= read.size
            self._changed.notify_all()
            return read

    def close(self) -> None:
        """Stop reading; what waits is forgotten, it is not at the target. Safe to repeat."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._thread.join()

    def _run(self) -> None:
        try:
            while not self._closed:
                batch = self._source.poll(_POLL_SECONDS)
                if batch is not None:
                    self._put(_read(batch))
        except BaseException as error:  # noqa: BLE001 - raised again where the events are wanted
            with self._changed:
                self._error = error
                self._changed.notify_all()

    def _put(self, read: Read) -> None:
        with self._changed:
            while (self._events >= WAITING_EVENTS or self._bytes >= WAITING_BYTES) and not self._closed:
                self._changed.wait()
            self._waiting.append(read)
            self._events += len(read.events)
            self._bytes += read.size
            self._changed.notify_all()


def _read(batch: Batch) -> Read:
    values = batch.values
    read = Read(batch, parse(values), len(values))
    batch.forget()
    return read
