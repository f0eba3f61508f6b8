"""Which events come from an owner. No server."""

from __future__ import annotations

import pytest

from cdc.event import Change, Place, Truncate
from cdc.ownership.gate import Gate
from cdc.ownership.row import Ownership
from cdc.ownership.side import Side
from cdc.state import Direction

UUID = "11111111-2222-3333-4444-555555555555"


def change(number: int, gtid: str | None = None) -> Change:
    at = f"{UUID}:{number}" if gtid is None else gtid
    return Change(0, "c", "shop", "items", None, {"id": number}, at or None, "binlog.000001", number)


def row(owner: Side, since: str | None = "", side: Side = Side.NEW) -> Ownership:
    return Ownership("buying", side, owner, 3, since)


def owned(gate: Gate, found: Ownership | None, *numbers: int) -> list[tuple[bool, list[int]]]:
    split = gate.split(found, [[change(n) for n in numbers]])
    return [(own, [c.offset for c in step]) for own, step in split if not isinstance(step, Truncate)]


def test_before_it_is_armed_only_the_stream_to_new_carries_anything():
    assert owned(Gate("buying", Direction.TO_NEW), None, 1, 2) == [(True, [1, 2])]
    assert owned(Gate("buying", Direction.TO_LEGACY), None, 1, 2) == [(False, [1, 2])]


def test_only_the_owners_stream_carries():
    forth, back = Gate("buying", Direction.TO_NEW), Gate("buying", Direction.TO_LEGACY)
    assert owned(forth, row(Side.LEGACY), 1) == [(True, [1])]
    assert owned(forth, row(Side.NEW), 1) == [(False, [1])]
    assert owned(back, row(Side.NEW, side=Side.LEGACY), 1) == [(True, [1])]
    assert owned(back, row(Side.LEGACY, side=Side.LEGACY), 1) == [(False, [1])]
    assert owned(back, row(Side.NEW, None, Side.LEGACY), 1) == [(False, [1])]  # moved, and not admitted yet


def test_what_since_contains_was_brought_by_the_other_stream():
    gate, moved = Gate("buying", Direction.TO_NEW), row(Side.LEGACY, f"{UUID}:1-5 @ binlog.000001:400")
    assert owned(gate, moved, 4, 5, 6, 7) == [(False, [4, 5]), (True, [6, 7])]
    assert owned(gate, moved, 6, 7) == [(True, [6, 7])]
    assert owned(gate, row(Side.LEGACY, f"{UUID}:1-6"), 6, 7) == [(False, [6]), (True, [7])]
    truncated = [Truncate(0, "shop", "items", Place(f"{UUID}:{n}", "binlog.000001", n)) for n in (5, 6)]
    assert [own for own, _ in gate.split(moved, truncated)] == [False, True]
    assert owned(gate, moved) == []


@pytest.mark.parametrize(
    ("since", "first", "second"),
    [("0-1-5", "0-1-5", "0-1-6"), ("binlog.000001:500", "", "")],
    ids=["mariadb", "no GTIDs"],
)
def test_since_is_a_position_of_any_kind(since: str, first: str, second: str):
    changes = [change(500, first), change(501, second)]
    split = Gate("buying", Direction.TO_NEW).split(row(Side.LEGACY, since), [changes])
    assert [own for own, _ in split] == [False, True]
