"""A comparison that was cut off goes on where it was; one that is throttled waits."""

from __future__ import annotations

import json
import threading
from contextlib import closing
from typing import Any

import pytest

from cdc.mapping import CapabilityMapping, TableMapping
from cdc.session import open_session
from cdc.verify import Interrupted, Limits, Mark, Progress, table

pytestmark = pytest.mark.real

LEGACY = "CREATE TABLE counters (id INT PRIMARY KEY, stock INT NOT NULL)"
NEW = "CREATE TABLE stocks (legacy_id BIGINT PRIMARY KEY, stock BIGINT NOT NULL)"
MAPPING = TableMapping("stocks", "counters", {"legacy_id": "id"}, {"stock": "stock"})
ROWS = 3000
LIMITS = Limits(chunk_rows=100)


class Kept:
    """Marks as a store keeps them, which stops the comparison after some."""

    def __init__(self) -> None:
        self.stored: dict[str, str] = {}
        self.stop = threading.Event()
        self.stop_after = 10**9

    def of(self, table: str) -> Mark | None:
        return Mark.from_json(json.loads(self.stored[table])) if table in self.stored else None

    def keep(self, table: str, mark: Mark) -> None:
        self.stored[table] = json.dumps(mark.to_json())
        self.stop_after -= 1
        if self.stop_after == 0:
            self.stop.set()


@pytest.fixture
def mapping(mysql_lab: Any) -> CapabilityMapping:
    values = ", ".join(f"({n}, 5)" for n in range(ROWS))
    mapping: CapabilityMapping = mysql_lab.create(LEGACY, NEW, MAPPING, f"INSERT INTO counters VALUES {values}")
    return mapping


def test_an_interrupted_comparison_goes_on_where_it_was(
    mysql_lab: Any, execute: Any, mapping: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(table, "_KEEP_EVERY_SECONDS", 0.0)
    kept = Kept()
    kept.stop_after = 12
    execute(
        mysql_lab.new,
        "UPDATE stocks SET stock = 6 WHERE legacy_id IN (10, 20, 2900)",
        "DELETE FROM stocks WHERE legacy_id = 30",
    )
    with pytest.raises(Interrupted):
        mysql_lab.verify(mapping, limits=LIMITS, marks=kept, stop=kept.stop, listed_at_most=2)
    mark = kept.of("stocks")
    assert mark is not None
    assert 0 < mark.rows < ROWS
    assert not mark.done
    # One of the differences that were seen is mended meanwhile; a row that was compared already is changed.
    execute(
        mysql_lab.new, "UPDATE stocks SET stock = 5 WHERE legacy_id = 10", "DELETE FROM stocks WHERE legacy_id = 40"
    )
    (result,) = mysql_lab.verify(mapping, limits=LIMITS, marks=kept, listed_at_most=2).tables
    assert (result.rows, result.rows_before) == (ROWS, mark.rows)
    assert [d.key["legacy_id"] for d in result.differing] == [20, 2900]
    # 30 stood beyond the list and is counted; 40 would have been found by beginning anew, as is said.
    assert (result.missing_total, result.differing_total, result.in_flight) == (1, 2, 0)
    assert kept.of("stocks").done  # type: ignore[union-attr]
    # What is done is not read again, but for what differed.
    (again,) = mysql_lab.verify(mapping, limits=LIMITS, marks=kept).tables
    assert (again.rows_before, again.differing_total) == (ROWS, 2)
    other = CapabilityMapping(
        "catalog", (TableMapping("stocks", "counters", {"legacy_id": "id"}, {"stock": "stock + 0"}),)
    )
    assert mysql_lab.verify(other, limits=LIMITS, marks=kept).tables[0].rows_before == 0


def test_a_busy_source_makes_the_comparison_wait_and_say_why(mysql_lab: Any, mapping: Any) -> None:
    said: list[Progress] = []
    stop = threading.Event()

    def progress(told: Progress) -> None:
        said.append(told)
        stop.set()

    with closing(open_session(mysql_lab.legacy)) as session:
        busy = threading.Thread(target=lambda: session.cursor().execute("DO SLEEP(20)"))
        busy.start()
        try:
            with pytest.raises(Interrupted):
                mysql_lab.verify(mapping, limits=Limits(max_threads_running=0), progress=progress, stop=stop)
        finally:
            with closing(open_session(mysql_lab.legacy)) as other, other.cursor() as cursor:
                cursor.execute(f"KILL QUERY {session.thread_id()}")
            busy.join()
    assert said[0].waiting is not None
    assert said[0].waiting.startswith("the source runs ")
