"""Batches made ready ahead: whole transactions in order, larger under a backlog, bounded, by the plan in force."""

from __future__ import annotations

import time
from contextlib import closing

import orjson
import pytest

from cdc import ahead as ahead_module
from cdc import batches as batches_module
from cdc.ahead import Ahead, Ready
from cdc.apply.plan import Plan, SourceTable
from cdc.apply.prepare import Run, texts_of
from cdc.apply.reduce import MissingKey
from cdc.apply.stage import Staging
from cdc.batches import Cut
from cdc.event import Change, EventError, Place, Truncate
from cdc.schema import Column, Table, UniqueKey
from tests.cdc.test_reader import Listed


def plan(*names: str) -> Plan:
    columns = {name: Column(name, "int", "int", True, False, False) for name in ("id", "more")}
    table = Table("items", columns, (UniqueKey("PRIMARY", ("id",)),), (), 0)
    return Plan({"items": SourceTable(table, Staging.of(0, table, names or ("id",)), ())}, ())


def change(number: int, gtid: int, **row: int) -> Change:
    return Change(0, "c", "shop", "items", None, {"id": number, **row}, f"u:{gtid}", "b.1", number)


def handed(*changes: tuple[int, int], op: str = "c") -> bytes:
    """A hand-over of changes of (id, transaction)."""
    records = [
        {
            "op": op,
            "after": {"id": number},
            "source": {"db": "shop", "table": "items", "gtid": f"u:{gtid}", "file": "b.1", "pos": number},
        }
        for number, gtid in changes
    ]
    return orjson.dumps(records)


def ids(ready: Ready | None) -> list[int]:
    assert ready is not None
    return [event.offset for event in ready.cut.events if isinstance(event, Change)]


def until(holds: object) -> None:
    end = time.monotonic() + 5
    while not holds():  # type: ignore[operator]
        assert time.monotonic() < end
        time.sleep(0.001)


def test_while_nobody_takes_one_batch_the_next_one_grows() -> None:
    source = Listed([handed((0, 0), (1, 1))])
    with closing(Ahead(source, plan())) as ahead:
        until(lambda: ahead._ready is not None)
        for number in range(2, 20):
            source.add(handed((number, number)))
        until(lambda: source.taken == 19)
        assert ids(ahead.take(5)) == [0]
        assert len(ids(ahead.take(5))) > 10
        until(lambda: ahead.take(0.01) is not None)
        assert ahead.take(0.01) is None and ahead.idle


@pytest.mark.parametrize("bound", ["BATCH_EVENTS", "BATCH_BYTES"])
def test_a_batch_is_no_larger_than_it_may_be_and_ends_with_a_transaction(
    monkeypatch: pytest.MonkeyPatch, bound: str
) -> None:
    monkeypatch.setattr(ahead_module, bound, 4 if bound == "BATCH_EVENTS" else 2 * len(handed((0, 0), (1, 0))))
    source = Listed([handed((2 * n, n // 2), (2 * n + 1, n // 2)) for n in range(10)])  # four rows a transaction
    found: list[int] = []
    with closing(Ahead(source, plan())) as ahead:
        while len(found) < 20:
            ready = ahead.take(5)
            assert len(ids(ready)) in (2, 4)
            found += ids(ready)
            assert len(found) == 20 or len(found) % 4 == 0
    assert found == list(range(20))


@pytest.mark.parametrize("bound", ["HELD_EVENTS", "HELD_BYTES"])
def test_a_transaction_larger_than_may_wait_goes_in_pieces(monkeypatch: pytest.MonkeyPatch, bound: str) -> None:
    monkeypatch.setattr(batches_module, bound, 4 if bound == "HELD_EVENTS" else 4 * len(handed((0, 1))))
    monkeypatch.setattr(ahead_module, "BATCH_EVENTS", 2)
    monkeypatch.setattr(ahead_module, "QUIET_SECONDS", 60.0)
    source, found, largest = Listed([handed((n, 1)) for n in range(100)]), list[int](), 0
    with closing(Ahead(source, plan())) as ahead:
        while len(found) < 90:
            some = ids(ahead.take(5))
            found, largest = found + some, max(largest, len(some))
    assert found == list(range(len(found))) and largest <= 6


def test_an_error_comes_after_what_was_ready() -> None:
    source = Listed([handed((1, 1)), handed((2, 2)), b'[{"something": 1}]'])
    with closing(Ahead(source, plan())) as ahead:
        with pytest.raises(EventError):
            while True:
                ahead.take(5)
        with pytest.raises(EventError):  # and again, whoever asks again
            ahead.take(5)


def test_texts_of_another_plan_are_not_used() -> None:
    old, new = plan("id"), plan("id", "more")
    run = Run([change(1, 1, more=2)])
    run.prepare(old)
    assert texts_of(run, old)["items"].stored == b"1\n"
    assert texts_of(run, new)["items"].stored == b"1\t2\n"


def test_what_does_not_fit_is_told_when_its_turn_has_come() -> None:
    run = Run([Change(0, "c", "shop", "items", None, {"more": 1}, "u:1", "b.1", 1)])
    run.prepare(plan())
    with pytest.raises(MissingKey):
        texts_of(run, plan())


def test_changes_before_and_after_a_truncate_are_apart() -> None:
    gone = Truncate(0, "shop", "items", Place("u:2", "b.1", 2))
    ready = Ready.of(Cut([change(1, 1), gone, change(3, 3)], "o", None))
    assert [step if isinstance(step, Truncate) else [c.offset for c in step] for step in ready.steps] == [
        [1],
        gone,
        [3],
    ]
    assert ready.changed == 3
