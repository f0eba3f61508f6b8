"""Invariant 9, purely: what fails waits with its key, all else goes on, and order is kept."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import pymysql
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cdc.apply.identity import Mark
from cdc.apply.isolate import Aside, TooManyFail, isolate
from cdc.event import Change

CHECK = pymysql.err.OperationalError(3819, "Check constraint 'c' is violated.")
DUPLICATE = pymysql.err.IntegrityError(1062, "Duplicate entry")


def change(key: int, value: int | None, number: int = 0) -> Change:
    """The row ``key`` gets ``value``; None deletes it."""
    row = {"id": key, "v": value}
    return Change(
        0, "d" if value is None else "u", "shop", "items", row, None if value is None else row, "u:1", "b", number
    )


def marks(change: Change) -> tuple[Mark, ...]:
    row = change.after or change.before or {}
    return (("items", str(row["id"])),)


class Target:
    """Takes batches as the applier does: down to the last state per key, all or nothing. ``bad`` keys refuse values
    above zero; ``unique``: no two rows may hold the same value at the end of an attempt."""

    def __init__(self, bad: frozenset[int] = frozenset(), *, unique: bool = False) -> None:
        self.rows: dict[int, int] = {}
        self.bad, self.unique, self.attempts = bad, unique, 0

    def attempt(self, changes: Sequence[Change]) -> Exception | None:
        self.attempts += 1
        rows = dict(self.rows)
        for one in changes:
            row: Any = one.after or one.before
            if one.op == "d":
                rows.pop(row["id"], None)
            else:
                rows[row["id"]] = row["v"]
        touched = {(one.after or one.before or {})["id"] for one in changes}
        if any(key in self.bad and rows.get(key, 0) > 0 for key in touched):
            return CHECK
        if self.unique and len(set(rows.values())) < len(rows):
            return DUPLICATE
        self.rows = rows
        return None


def run(target: Target, changes: Sequence[Change], held: Sequence[Mark] = (), most: int = 1000) -> list[Aside[Change]]:
    return isolate(changes, target.attempt, marks, frozenset(held), most)


VALUES = st.one_of(st.none(), st.integers(-5, 5))
EVENTS = st.lists(st.tuples(st.integers(0, 7), VALUES), max_size=60)


@settings(deadline=None, max_examples=120)
@given(EVENTS, st.frozensets(st.integers(0, 7), max_size=4), st.lists(st.integers(1, 12), max_size=12))
def test_the_other_keys_are_as_if_nothing_had_failed_and_after_a_retry_all_are(
    events: list[tuple[int, int | None]], bad: frozenset[int], cuts: list[int]
) -> None:
    changes = [change(key, value, number) for number, (key, value) in enumerate(events)]
    whole = Target()
    assert whole.attempt(changes) is None
    target, waiting, held = Target(bad), list[Aside[Change]](), set[Mark]()
    left = list(changes)
    for size in [*cuts, len(changes) + 1]:  # in batches, as a stream comes
        batch, left = left[:size], left[size:]
        aside = run(target, batch, sorted(held))
        waiting += aside
        held |= {mark for one in aside for mark in one.marks}
    gone_on = {key: value for key, value in whole.rows.items() if ("items", str(key)) not in held}
    assert {key: value for key, value in target.rows.items() if ("items", str(key)) not in held} == gone_on
    assert held <= {("items", str(key)) for key in bad}  # nobody waits for somebody else's fault
    for mark in held:  # the first of each key failed, the rest wait behind it, in the order of the source
        mine = [one for one in waiting if one.marks == (mark,)]
        assert mine[0].error == "Check constraint 'c' is violated."
        places = [one.change.offset for one in mine]
        assert places == sorted(places)
        assert places == [c.offset for c in changes if marks(c) == (mark,) and c.offset >= places[0]]
    target.bad = frozenset()  # mended
    assert run(target, [one.change for one in waiting]) == []
    assert target.rows == whole.rows


def test_one_bad_row_of_many_costs_few_tries() -> None:
    target = Target(frozenset({777}))
    (aside,) = run(target, [change(key, 1) for key in range(8192)])
    assert aside.change.after == {"id": 777, "v": 1}
    assert target.attempts <= 2 * math.log2(8192) + 1
    assert len(target.rows) == 8191


def test_nothing_is_looked_at_while_nothing_fails() -> None:
    def never(change: Change) -> tuple[Mark, ...]:
        raise AssertionError(change)

    target = Target()
    assert isolate([change(1, 1), change(2, 2)], target.attempt, never, frozenset(), 10) == []
    assert target.attempts == 1


def test_too_many_are_not_set_aside() -> None:
    target = Target(frozenset(range(100)))
    with pytest.raises(TooManyFail) as caught:
        run(target, [change(key, 1) for key in range(200)], most=10)
    assert caught.value.keys == 11
    assert caught.value.change.after == {"id": 0, "v": 1}


def test_values_that_swap_are_tried_together_again_when_another_row_failed() -> None:
    target = Target(unique=True)
    assert run(target, [change(1, 10), change(2, 20), change(3, 30)]) == []
    target.bad = frozenset({3})
    # taken apart, 1 clashes with 2: only together do they swap
    (aside,) = run(target, [change(1, 20), change(3, 33), change(2, 10)])
    assert (aside.change.after, aside.error) == ({"id": 3, "v": 33}, "Check constraint 'c' is violated.")
    assert target.rows == {1: 20, 2: 10, 3: 30}


def test_what_clashes_with_a_row_that_waits_fails_by_itself() -> None:
    target = Target(unique=True)
    assert run(target, [change(1, 10)]) == []
    target.bad = frozenset({1})
    aside = run(target, [change(1, 11), change(2, 10), change(4, 40), change(2, 12)])
    assert [one.error for one in aside] == ["Check constraint 'c' is violated."]  # 12 is free: 2 has gone on
    assert target.rows == {1: 10, 2: 12, 4: 40}
    aside = run(target, [change(3, 10), change(3, 10)], held=[("items", "1")])
    assert [one.error for one in aside] == ["Duplicate entry", None]
    assert [one.change.after for one in aside] == [{"id": 3, "v": 10}] * 2


def test_marks_keep_order_across_keys() -> None:
    """An event that shares any mark with one that waits, waits too, and so on from there."""

    def two(change: Change) -> tuple[Mark, ...]:
        row: Any = change.after
        return (("items", str(row["id"])), ("claim", str(row["v"] % 10)))

    target = Target(frozenset({1}))
    changes = [change(1, 5), change(2, 15), change(2, 6), change(3, 16), change(4, 7)]
    aside = isolate(changes, target.attempt, two, frozenset(), 10)
    assert [one.change for one in aside] == changes[:4]
    assert [one.error is None for one in aside] == [False, True, True, True]
    assert target.rows == {4: 7}
