"""Invariant 11 on a stream of Debezium while its tables are written: each row that differs is named, none in flight."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest

from cdc.session import open_session
from cdc.state import StreamSettle
from cdc.verify import Limits, TableResult, verify_capability, verify_changed
from tests.cdc.conftest import MakeLab
from tests.cdc.lab import Lab, execute

pytestmark = pytest.mark.real

HOT = 60
ROWS = 2000


@contextmanager
def written(lab: Lab) -> Iterator[None]:
    """Somebody inserts, changes and deletes the same few rows all the while."""
    stop, choose = threading.Event(), random.Random(11)

    def write() -> None:
        with closing(open_session(lab.source)) as session, session.cursor() as cursor:
            while not stop.is_set():
                number = choose.randrange(1, HOT)
                if choose.random() < 0.2:
                    cursor.execute(f"DELETE FROM items WHERE id = {number}")
                else:
                    price = choose.choice(["NULL", "1", "2.5"])
                    cursor.execute(f"REPLACE INTO items (id, title, price) VALUES ({number}, ' hot ', {price})")
                session.commit()
                stop.wait(0.02)

    thread = threading.Thread(target=write)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def test_rows_in_flight_are_not_reported_and_each_row_that_differs_is(mysql_legacy, mysql_new, make_lab: MakeLab):
    lab = make_lab(mysql_legacy, mysql_new)
    lab.recent_keys = 100
    values = ", ".join(f"({n}, 'still', {n})" for n in range(100, 100 + ROWS))
    execute(lab.source, f"INSERT INTO items (id, title, price) VALUES {values}")
    settle = StreamSettle(lab.source, lab.desk)

    def as_planted(result: TableResult) -> None:
        assert result.waited
        assert result.missing == ({"legacy_id": 1500},)
        assert result.extra == ({"legacy_id": 90},)
        assert [(d.key, list(d.columns)) for d in result.differing] == [({"legacy_id": 200}, ["price_cents"])]

    with lab.streaming():
        # The rows that are to differ come through the stream last, so that they are hot as well.
        execute(lab.source, "UPDATE items SET title = 'seen' WHERE id IN (200, 1500)")
        execute(lab.source, "INSERT INTO items (id, title) VALUES (90, 'gone')", "DELETE FROM items WHERE id = 90")
        lab.settle()
        execute(
            lab.target,
            "UPDATE products SET price_cents = 1 WHERE legacy_id = 200",
            "DELETE FROM products WHERE legacy_id = 1500",
            "INSERT INTO products (legacy_id, title) VALUES (90, 'gone')",
        )
        in_flight = 0
        with written(lab):
            for _ in range(3):
                found = verify_capability(lab.mapping, lab.source, lab.target, settle=settle, limits=Limits(1, 300))
                as_planted(found.tables[0])
                in_flight += found.in_flight
            status = lab.until_true(lambda status: any(key["id"] < HOT for _, key in status.detail.recent))
            changed = [key for _, key in status.detail.recent]
            assert {90, 200, 1500} <= {key["id"] for key in changed}
            for _ in range(3):
                hot = verify_changed(lab.mapping, lab.source, lab.target, {"items": changed}, settle)
                as_planted(hot.tables[0])
                in_flight += hot.in_flight
        assert in_flight > 0, "nothing was in flight: this test saw nothing of what it is about"
