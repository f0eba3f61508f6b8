"""Killed anywhere and started again, a stream ends with the same rows as never killed (invariant 7)."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field

import pymysql
import pytest

from cdc.database import Database
from cdc.position import Position
from cdc.session import open_session
from cdc.state import StreamState
from tests.cdc.conftest import MakeLab
from tests.cdc.lab import BOTH, SOON, Lab, execute

pytestmark = pytest.mark.real

KILLS = 10
SEED = 20261124


@dataclass
class Writer:
    """Writes ``items`` in small transactions until the block ends: inserts, updates, deletes, changed keys. Every row
    carries its own counter, so that an event applied twice or an older one applied late leaves a difference."""

    database: Database
    seed: int
    first: int = 1_000_000  # keys of new rows begin here
    ids: tuple[int, ...] = ()  # rows that are there already and may be changed
    wait_seconds: float = 0.002
    transactions: int = 0
    row_events: int = 0  # how many change events that made
    _failed: list[BaseException] = field(default_factory=list)

    @contextmanager
    def writing(self) -> Iterator[None]:
        ended = threading.Event()
        thread = threading.Thread(target=self._run, args=(ended,), daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join(30)
        assert not self._failed, self._failed

    def _run(self, ended: threading.Event) -> None:
        try:
            with closing(open_session(self.database)) as session, session.cursor() as cursor:
                dice, ids, following = random.Random(self.seed), list(self.ids), self.first
                while not ended.is_set():
                    session.begin()
                    for _ in range(dice.randint(1, 6)):
                        following += 1
                        self._one(cursor, dice, ids, following)
                    session.commit()
                    self.transactions += 1
                    ended.wait(self.wait_seconds)
        except BaseException as error:  # noqa: BLE001 - told by the test
            self._failed.append(error)

    def _one(self, cursor: pymysql.cursors.Cursor, dice: random.Random, ids: list[int], number: int) -> None:
        kind = dice.choice(("insert", "insert", "update", "update", "update", "delete", "key"))
        self.row_events += 2 if kind == "key" and ids else 1
        if kind == "insert" or not ids:
            cursor.execute("INSERT INTO items (id, title, price) VALUES (%s, 'new', 1)", (number,))
            ids.append(number)
            return
        place = dice.randrange(len(ids))
        if kind == "update":
            cursor.execute(
                "UPDATE items SET title = CONCAT('t', %s), price = price + 1 WHERE id = %s", (number, ids[place])
            )
        elif kind == "delete":
            cursor.execute("DELETE FROM items WHERE id = %s", (ids.pop(place),))
        else:
            cursor.execute("UPDATE items SET id = %s WHERE id = %s", (number, ids[place]))
            ids[place] = number


def assert_equal(lab: Lab) -> int:
    """Both sides hold the same rows; how many."""
    old = execute(lab.source, "SELECT id, TRIM(title), CAST(ROUND(price * 100) AS SIGNED) FROM items ORDER BY id")
    assert lab.new("SELECT legacy_id, title, price_cents FROM products ORDER BY 1") == old
    return len(old)


@BOTH
@pytest.mark.timeout(400)
def test_kills_under_load_end_equal(hosting: str, mysql_legacy, mysql_new, make_lab: MakeLab):
    lab, dice = make_lab(mysql_legacy, mysql_new), random.Random(SEED)
    execute(lab.source, "INSERT INTO items (title, price) VALUES " + ", ".join(["('before', 1)"] * 5000))
    lab.desk.want("running")
    writer = Writer(lab.source, SEED, wait_seconds=0.0)
    worker = lab.process()
    try:
        with writer.writing():
            lab.until(StreamState.STREAMING)  # the kills are to hit the stream, and the first of them the start after
            for kill in range(KILLS if hosting == "embedded" else KILLS // 2):
                if kill % 3 == 0:  # within the start: Python, Java, the engine
                    time.sleep(dice.uniform(0.1, 2.5))
                else:  # while it catches up with what was written meanwhile
                    _until_moved_from(lab, lab.desk.position())
                    time.sleep(dice.uniform(0.0, 0.25))
                worker.kill()
                assert worker.wait(10) == -9
                worker = lab.process()
        lab.until(StreamState.STREAMING)
        lab.settle()
        rows = assert_equal(lab)
        assert rows > 5000 and writer.transactions > 500
        # nothing was copied again to get there
        assert lab.desk.status().events > writer.transactions
    finally:
        worker.terminate()
        assert worker.wait(60) == 0


def _until_moved_from(lab: Lab, before: Position | None) -> None:
    end = time.monotonic() + SOON
    while lab.desk.position() == before:
        assert time.monotonic() < end, lab.desk.status()
        time.sleep(0.005)
