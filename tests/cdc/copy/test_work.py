from __future__ import annotations

from collections import deque

import pytest

from cdc.apply.plan import SourceTable
from cdc.apply.stage import Staging
from cdc.apply.write import TargetTable, Writer
from cdc.copy.progress import Chunk, gaps
from cdc.copy.work import Job, Work, reads_other_tables
from cdc.mapping import TableMapping
from cdc.ranges import Bound, KeyRange
from cdc.schema import Column, Table, UniqueKey

ID = Column("id", "int", "int", False, False, False)


def source(name: str, expression: str = "id") -> SourceTable:
    table = Table(name, {"id": ID}, (UniqueKey("PRIMARY", ("id",)),), (), 0)
    staging = Staging.of(0, table, ("id",))
    mapping = TableMapping(f"new_{name}", name, {"id": "id"}, {"v": expression})
    return SourceTable(table, staging, (Writer(mapping, staging, TargetTable(table, (), False), ("id",)),))


def job(name: str, *done: Chunk, rows_total: int = 10, alone: bool = False) -> Job:
    return Job(source(name), deque(gaps(done)), frozenset(), (), rows_total, alone=alone)


def ten(_: SourceTable, keys: KeyRange, rows: int) -> Bound | None:
    """A table with the keys 1 to 10."""
    after = int(keys.after[0]) if keys.after else 0
    return (str(after + rows),) if after + rows <= 10 else None


def work(*jobs: Job, most_rows: int = 4) -> Work:
    return Work(list(jobs), most_rows, clock=lambda: 100.0)


def taken(them: Work) -> list[tuple[str, KeyRange]]:
    found = []
    while (one := them.take(ten)) is not None:
        found.append((one[1].table, one[1].keys))
    return found


def test_a_table_is_handed_out_in_chunks_then_the_next():
    them = work(job("items"), job("brands"), most_rows=5)
    assert taken(them) == [
        (name, keys)
        for name in ("items", "brands")
        for keys in (KeyRange(None, ("5",)), KeyRange(("5",), ("10",)), KeyRange(("10",), None))
    ]
    assert them.handed_out and not any(job.copied for job in them.jobs)


def test_what_an_earlier_run_left_out_comes_first_and_as_one():
    first, third = Chunk("items", 2, KeyRange(None, ("2",))), Chunk("items", 6, KeyRange(("6",), ("8",)))
    them = work(job("items", first, third), most_rows=3)
    assert taken(them) == [("items", KeyRange(("2",), ("6",))), ("items", KeyRange(("8",), None))]


def test_a_table_is_copied_once_all_its_chunks_are_written():
    them = work(job("items"), most_rows=6)
    one, two = them.take(ten), them.take(ten)
    assert one is not None and two is not None and them.take(ten) is None
    them.written(one[0], one[2], 6, 100, 0.1)
    assert not them.jobs[0].copied
    them.written(two[0], two[2], 4, 100, 0.1)
    assert them.jobs[0].copied and not them.jobs[0].finished


def test_a_table_that_looks_others_up_waits_for_those_before_it():
    them = work(job("brands"), job("items", alone=True), job("notes"), most_rows=100)
    assert [name for name, _ in taken(them)] == ["brands", "notes"]
    assert not them.handed_out
    them.finish(them.jobs[0])
    assert [name for name, _ in taken(them)] == ["items"]
    assert reads_other_tables(source("items", "(SELECT MAX(id) FROM brands)"))
    assert not reads_other_tables(source("items", "id + 1"))


def test_a_server_that_gives_no_bound_loses_no_chunk():
    them = work(job("items"))

    def away(_: SourceTable, __: KeyRange, ___: int) -> Bound | None:
        raise ConnectionError

    for _ in range(2):
        with pytest.raises(ConnectionError):
            them.take(away)
    assert len(taken(them)) == 3


def test_progress_counts_rows_and_says_how_long_it_will_take():
    now = [100.0]
    them = Work([job("items", rows_total=1000), job("brands", rows_total=500)], 200, clock=lambda: now[0])
    one = them.take(ten)
    assert one is not None
    now[0] = 102.0
    them.written(one[0], one[2], 200, 1000, 0.1)
    progress = them.progress("the stream is 9 s behind")
    assert (progress.table, progress.tables_done, progress.tables_total) == ("items", 0, 2)
    assert (progress.rows_done, progress.rows_total, progress.rows_per_second) == (200, 1500, 100.0)
    assert progress.seconds_left == 13.0 and progress.throttled == "the stream is 9 s behind"
    them.finish(them.jobs[0])  # fewer rows than the server had guessed
    assert them.progress(None).rows_total == 700
