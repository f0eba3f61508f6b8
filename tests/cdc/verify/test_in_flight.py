"""Invariant 11: rows that are only in flight are never reported, and what really differs is, while rows change."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import pytest

from cdc.mapping import CapabilityMapping, TableMapping
from cdc.session import open_session
from cdc.verify import Limits, NotSettled, table, verify_changed
from cdc.verify.settle import Settled

pytestmark = pytest.mark.real

LEGACY = "CREATE TABLE counters (id INT PRIMARY KEY, stock INT NOT NULL, word VARCHAR(20) NOT NULL)"
NEW = "CREATE TABLE stocks (legacy_id BIGINT PRIMARY KEY, stock BIGINT NOT NULL, word VARCHAR(20) NOT NULL)"
MAPPING = TableMapping("stocks", "counters", {"legacy_id": "id"}, {"stock": "stock", "word": "UPPER(word)"})
HOT = 40


class DelayedStream:
    """A writer on the legacy side and, some way behind it, a stream that applies each of its changes in order.

    Values are few and rows are hot, so that a row is often again what it was.
    """

    def __init__(self, lab: Any, delay_seconds: float) -> None:
        self.lab = lab
        self.delay_seconds = delay_seconds
        self.stopping = threading.Event()
        self.held = threading.Event()
        self.failed: BaseException | None = None
        self._lock = threading.Lock()
        self._changes: list[tuple[float, int, int | None]] = []
        self._applied = 0

    def source_position(self) -> str:
        with self._lock:
            return str(len(self._changes))

    def wait_applied(self, position: str, timeout_seconds: float) -> bool:
        deadline = time.monotonic() + timeout_seconds
        while self._applied < int(position):
            if self.failed or time.monotonic() > deadline:
                return False
            time.sleep(0.001)
        return True

    @contextmanager
    def running(self) -> Iterator[None]:
        threads = [threading.Thread(target=self._guarded, args=(work,)) for work in (self._write, self._apply)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self.stopping.set()
            for thread in threads:
                thread.join()
        if self.failed:
            raise self.failed

    def _guarded(self, work: Any) -> None:
        try:
            work()
        except BaseException as error:  # noqa: BLE001  (told to the test when the block ends)
            self.failed = error

    def _write(self) -> None:
        choose = random.Random(7)
        with closing(open_session(self.lab.legacy)) as session, session.cursor() as cursor:
            while not self.stopping.is_set():
                number = choose.randrange(HOT)
                stock = choose.choice([None, 0, 1])
                with self._lock:
                    if stock is None:
                        cursor.execute(f"DELETE FROM counters WHERE id = {number}")
                    else:
                        cursor.execute(f"REPLACE INTO counters VALUES ({number}, {stock}, 'w')")
                    session.commit()
                    self._changes.append((time.monotonic(), number, stock))
                time.sleep(0.0005)

    def _apply(self) -> None:
        with closing(open_session(self.lab.new)) as session, session.cursor() as cursor:
            while not self.stopping.is_set():
                if self._applied == len(self._changes) or self.held.is_set():
                    time.sleep(0.001)
                    continue
                at, number, stock = self._changes[self._applied]
                time.sleep(max(0.0, at + self.delay_seconds - time.monotonic()))
                if stock is None:
                    cursor.execute(f"DELETE FROM stocks WHERE legacy_id = {number}")
                else:
                    cursor.execute(f"REPLACE INTO stocks VALUES ({number}, {stock}, 'W')")
                session.commit()
                self._applied += 1


@pytest.fixture
def still(lab: Any) -> CapabilityMapping:
    values = ", ".join(f"({n}, 5, 'w')" for n in range(1000, 3000))
    return lab.create(LEGACY, NEW, MAPPING, f"INSERT INTO counters VALUES {values}")


def plant(lab: Any, execute: Any) -> None:
    execute(
        lab.new,
        "DELETE FROM stocks WHERE legacy_id = 1500",
        "UPDATE stocks SET stock = 6 WHERE legacy_id = 2500",
        "INSERT INTO stocks VALUES (500, 1, 'W')",
    )


def test_rows_in_flight_are_not_reported_and_real_differences_are(lab: Any, execute: Any, still: Any) -> None:
    plant(lab, execute)
    stream = DelayedStream(lab, delay_seconds=0.03)
    in_flight = 0
    with stream.running():
        for _ in range(4):
            (result,) = lab.verify(still, settle=stream, limits=Limits(chunk_rows=300)).tables
            assert result.missing == ({"legacy_id": 1500},)
            assert result.extra == ({"legacy_id": 500},)
            assert [d.key for d in result.differing] == [{"legacy_id": 2500}]
            assert result.waited
            in_flight += result.in_flight
    # Otherwise this test would have seen nothing of what it is about.
    assert in_flight > 0


def test_without_the_recheck_rows_in_flight_would_be_reported(
    mysql_lab: Any, execute: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The test above can fail: with settling taken out, it does."""
    still = mysql_lab.create(LEGACY, NEW, MAPPING, "INSERT INTO counters VALUES (5000, 1, 'w')")

    def believe_the_first_sight(keys: Any, owner: Any, other: Any, stream: Any, **_: Any) -> Settled[Any, Any]:
        old, new = owner(keys), other(keys)
        return Settled({key: (old.get(key), new.get(key)) for key in keys}, 0, [])

    monkeypatch.setattr(table, "settle_keys", believe_the_first_sight)
    stream = DelayedStream(mysql_lab, delay_seconds=0.05)
    reported = 0
    with stream.running():
        for _ in range(10):
            reported += mysql_lab.verify(still, settle=stream).tables[0].differences
            time.sleep(0.05)
    assert reported > 0


def test_a_stream_that_stands_still_is_said(mysql_lab: Any, execute: Any) -> None:
    still = mysql_lab.create(LEGACY, NEW, MAPPING, "INSERT INTO counters VALUES (5000, 1, 'w')")
    stream = DelayedStream(mysql_lab, delay_seconds=0.0)
    stream.held.set()
    with stream.running():
        while stream.source_position() == "0":
            time.sleep(0.005)
        with pytest.raises(NotSettled, match="can't be told from rows in flight"):
            mysql_lab.verify(still, settle=stream, settle_timeout_seconds=0.05)


def test_a_repair_while_rows_change_mends_only_what_differs(lab: Any, execute: Any, still: Any) -> None:
    plant(lab, execute)
    stream = DelayedStream(lab, delay_seconds=0.02)
    with stream.running():
        (result,) = lab.verify(still, settle=stream, repair=True).tables
        assert {key["legacy_id"] for key in result.repaired} == {500, 1500, 2500}
        assert result.equal
        assert lab.verify(still, settle=stream).equal


def test_hot_rows_are_compared_by_the_keys_of_their_events(lab: Any, execute: Any, still: Any) -> None:
    """Rows in flight among them are not reported; what differs is, a row that only the new side has as well."""
    plant(lab, execute)
    stream = DelayedStream(lab, delay_seconds=0.03)
    changed = {"counters": [{"id": n} for n in (*range(HOT), 500, 1500, 2500, 2501, 9999)], "other": [{"id": 1}]}
    with stream.running():
        for _ in range(4):
            (result,) = verify_changed(still, lab.legacy, lab.new, changed, stream).tables
            assert result.missing == ({"legacy_id": 1500},)
            assert result.extra == ({"legacy_id": 500},)
            assert [d.key for d in result.differing] == [{"legacy_id": 2500}]
