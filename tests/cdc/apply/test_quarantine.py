"""What the worker keeps in memory of its quarantine."""

from __future__ import annotations

from typing import Any

import pytest

from cdc.apply.identity import Marks, marks_of
from cdc.apply.isolate import Aside
from cdc.apply.quarantine import Quarantine
from cdc.event import Change
from cdc.quarantine import Bounds
from cdc.schema import Column
from cdc.state import Direction


def column(name: str, kind: str) -> Column:
    return Column(name, kind, kind, False, False, False, collation="utf8mb4_0900_ai_ci")


NUMBERED = marks_of("items", {"id": column("id", "bigint")}, ["id"], [])
NAMED = marks_of("brands", {"id": column("id", "bigint"), "name": column("name", "varchar")}, ["name"], [])
CLAIMED = marks_of("lines", {"id": column("id", "bigint"), "name": column("name", "varchar")}, ["id"], [["name"]])


class NoSession:
    """What is in the table at the start: nothing."""

    def cursor(self) -> Any:
        return self

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *_: object) -> None: ...

    def execute(self, *_: object) -> None: ...

    def fetchall(self) -> list[Any]:
        return []

    def commit(self) -> None: ...


def change(table: str, op: str = "u", **row: Any) -> Change:
    return Change(0, op, "shop", table, row, None if op == "d" else row, "u:1", "b", 4)


def holding(*changes: Change) -> Quarantine:
    quarantine = Quarantine(NoSession(), "catalog", Direction.TO_NEW, Bounds())  # type: ignore[arg-type]
    every: dict[str, Marks] = {marks.table: marks for marks in (NUMBERED, NAMED, CLAIMED)}
    quarantine.load(every)
    quarantine.beside([Aside(one, every[one.table].of(one), "refused") for one in changes])
    quarantine.look_beside()
    return quarantine


@pytest.mark.parametrize(
    ("held", "coming", "concerned"),
    [
        ([], change("items", id=7), False),
        ([change("items", id=7)], change("items", id=7), True),
        ([change("items", id=7)], change("items", "d", id=7), True),
        ([change("items", id=7)], change("items", id=8), False),
        ([change("items", id=7)], change("brands", id=7, name="x"), False),
        ([change("brands", id=7, name="a")], change("brands", id=9, name="b"), True),  # has to be looked at closely
        ([change("lines", id=7, name="a")], change("lines", id=9, name="A"), True),
        ([change("lines", id=7, name="a")], change("items", id=7), False),
    ],
)
def test_a_glance_misses_nothing(held: list[Change], coming: Change, concerned: bool) -> None:
    quarantine = holding(*held)
    assert bool(quarantine.held_among([change("items", id=1), coming])) is concerned


def test_what_another_session_has_stored_is_held() -> None:
    quarantine = holding(change("items", id=7), change("items", id=8))
    assert set(quarantine.held) == {("items", "", "7"), ("items", "", "8")}
