"""The next batch, made ready on a thread of its own while the target is busy with the one before.

Hand-overs are collected until a transaction of the source ends (``cdc.batches``), and what will be loaded of them is
worked out. One batch waits at most; while nobody takes it the next one grows, up to ``BATCH_EVENTS`` or
``BATCH_BYTES``: so batches are small when little happens, and large under a backlog.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass

from cdc.apply.plan import Plan
from cdc.apply.prepare import Run
from cdc.batches import Assembler, Cut
from cdc.cascade import Parents
from cdc.event import Change, SchemaChange, Truncate
from cdc.reader import Read, Reader
from cdc.source.port import Source

BATCH_EVENTS = 16_384
BATCH_BYTES = 16 << 20
QUIET_SECONDS = 0.03  # after so long without news the last transaction counts as over
_POLL_SECONDS = 0.2


@dataclass(frozen=True)
class Ready:
    """``steps`` are the cut's changes in runs between truncates, ``changed`` how many rows and truncates these are."""

    cut: Cut
    steps: list[Run | Truncate]
    changed: int
    tables: frozenset[str] = frozenset()  # whose rows are changed

    @property
    def schema_changes(self) -> list[SchemaChange]:
        return [event for event in self.cut.events if isinstance(event, SchemaChange)]

    @classmethod
    def of(cls, cut: Cut) -> Ready:
        steps: list[Run | Truncate] = []
        changes, changed = Run(), 0
        tables: set[str] = set()
        for event in cut.events:
            if isinstance(event, Change):
                changes.append(event)
                tables.add(event.table)
                changed += 1
            elif isinstance(event, Truncate):
                steps += [changes, event]
                tables.add(event.table)
                changes = Run()
                changed += 1
        return cls(cut, [*steps, changes], changed, frozenset(tables))


class Ahead:
    """Reads a source that has been started, until ``close``. ``read`` is what was read of it before; ``plan`` the one
    that batches are made ready by, until another one is set."""

    def __init__(self, source: Source, plan: Plan, read: Read | None = None) -> None:
        self.plan = plan
        self.heard_at = time.monotonic()  # when events of the source last came in
        self._reader, self._waiting = Reader(source), Assembler()
        if read is not None:
            self._waiting.add(*read)
        self._ready: Ready | None = None
        self._changed = threading.Condition()
        self._closed = False
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="ahead", daemon=True)
        self._thread.start()

    @property
    def idle(self) -> bool:
        """Whether nothing waits to be taken."""
        with self._changed:
            return self._ready is None and self._waiting.size == 0

    def take(self, timeout_seconds: float) -> Ready | None:
        """The next batch, or None when there was none in time.

        Raises SourceError and EventError, once everything before them was given out.
        """
        until = time.monotonic() + timeout_seconds
        with self._changed:
            while self._ready is None:
                if self._error is not None:
                    raise self._error
                left = until - time.monotonic()
                if left <= 0:
                    return None
                self._changed.wait(left)
            ready, self._ready = self._ready, None
            self._changed.notify_all()
            return ready

    def close(self) -> None:
        """Stop reading; what waits is forgotten, it is not at the target. Safe to repeat."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._reader.close()
        self._thread.join()

    def _run(self) -> None:
        try:
            while not self._closed:
                quiet = self._collect()
                self._wait_until_taken()
                quiet = not self._collect_more() and quiet
                # a parent's deletion may turn out to be half of a changed key: the next marker tells
                quiet = quiet and not Parents(self.plan.cascades).unclear(self._waiting.last)
                cut = self._waiting.cut(everything=quiet or self._waiting.full)
                if cut is not None:
                    self._put(cut)
        except BaseException as error:  # noqa: BLE001 - raised again where the batches are wanted
            with self._changed:
                self._error = error
                self._changed.notify_all()

    def _collect(self) -> bool:
        """True when nothing came."""
        read = self._reader.poll(QUIET_SECONDS if self._waiting.size else _POLL_SECONDS)
        if read is None:
            return True
        self._add(read)
        self._collect_more()
        return False

    def _collect_more(self) -> bool:
        """What is there already; whether there was something."""
        some = False
        while self._waiting.size < BATCH_EVENTS and self._waiting.bytes < BATCH_BYTES:
            read = self._reader.poll(0)
            if read is None:
                break
            self._add(read)
            some = True
        return some

    def _add(self, read: Read) -> None:
        self.heard_at = time.monotonic()
        self._waiting.add(*read)

    def _wait_until_taken(self) -> None:
        with self._changed:
            while self._ready is not None and not self._closed:
                self._changed.wait()

    def _put(self, cut: Cut) -> None:
        ready = Ready.of(cut)
        for step in ready.steps:
            if isinstance(step, Run):
                step.prepare(self.plan)
        with self._changed:
            self._ready = ready
            self._changed.notify_all()
