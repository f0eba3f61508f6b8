"""Marks: equal where a target row could be the same, different where it can't."""

from __future__ import annotations

from typing import Any

import pytest

from cdc.apply.identity import COPIED, digest, marks_of
from cdc.event import Change, Row
from cdc.schema import Column


def column(name: str, kind: str, collation: str | None = None) -> Column:
    return Column(name, kind, kind, False, False, False, collation=collation)


COLUMNS = {
    "id": column("id", "bigint"),
    "code": column("code", "varchar", "utf8mb4_0900_ai_ci"),
    "exact": column("exact", "varchar", "utf8mb4_bin"),
    "price": column("price", "decimal"),
    "raw": column("raw", "varbinary"),
}


def change(op: str, before: Row | None, after: Row | None) -> Change:
    return Change(0, op, "shop", "items", before, after, None, "b", 4)


@pytest.mark.parametrize(
    ("name", "one", "other", "same"),
    [
        ("id", 7, "7", True),
        ("id", 7, 8, False),
        ("code", "Straße ", "STRASSE", True),
        ("code", "Zoé", "zoe", True),
        ("code", "a", "b", False),
        ("exact", "a", "A", False),
        ("exact", "a", "a ", True),
        ("price", "1.50", "1.5", True),
        ("raw", "QQ==", "qq==", False),
        ("id", None, 0, False),
    ],
)
def test_which_keys_are_one(name: str, one: Any, other: Any, same: bool) -> None:
    marks = marks_of("items", COLUMNS, [name], [])
    left, right = (marks.key_of(change("c", None, {name: value})) for value in (one, other))
    assert (left == right) is same
    assert (digest(left) == digest(right)) is same


COPYABLE = {
    **COLUMNS,
    "day": column("day", "date"),
    "milli": Column("milli", "datetime", "datetime(3)", False, False, False, precision=3),
    "micro": Column("micro", "datetime", "datetime(6)", False, False, False, precision=6),
    "kind": column("kind", "enum", "utf8mb4_bin"),
    "zone": column("zone", "timestamp"),
}


@pytest.mark.parametrize(
    ("name", "envelope", "copied"),
    [
        ("id", 7, "7"),
        ("id", 18446744073709551615, "18446744073709551615"),
        ("price", "1.50", "1.50"),
        ("exact", "a\tb\\n\n", "a\\tb\\\\n\\n"),
        ("code", "Zo\u00e9", "ZOE"),
        ("kind", "a\\,b", "a,b"),
        ("raw", "AP8=", "00FF"),
        ("day", 19000, "2022-01-08"),
        ("day", -1, "1969-12-31"),
        ("milli", 1500, "1970-01-01 00:00:01.500"),
        ("micro", 1500, "1970-01-01 00:00:00.001500"),
        ("milli", 1000, "1970-01-01 00:00:01.000"),
    ],
)
def test_a_row_of_the_copy_is_marked_as_its_events_are(name: str, envelope: Any, copied: str) -> None:
    marks = marks_of("items", COPYABLE, [name], [])
    assert marks.copies
    event = change("c", None, {name: envelope})
    row = Change(0, "r", "shop", "items", None, {name: copied}, None, COPIED, 0)
    assert marks.of(event) == marks.of(row)


def test_keys_of_other_types_can_not_be_told_apart_in_a_copy() -> None:
    assert not marks_of("items", COPYABLE, ["zone"], []).copies


def test_a_delete_is_marked_by_what_was_there() -> None:
    marks = marks_of("items", COLUMNS, ["id"], [])
    assert marks.of(change("d", {"id": 7}, None)) == marks.of(change("c", None, {"id": 7}))
    with pytest.raises(KeyError):
        marks.of(change("c", None, {"code": "x"}))


def test_keys_of_target_rows_that_are_made_of_other_columns_are_claimed_before_and_after() -> None:
    marks = marks_of("items", COLUMNS, ["id"], [["code"]])
    moved = marks.of(change("u", {"id": 1, "code": "X"}, {"id": 1, "code": "Z"}))
    taker = marks.of(change("u", {"id": 2, "code": "y"}, {"id": 2, "code": "x"}))
    stranger = marks.of(change("u", {"id": 3, "code": "q"}, {"id": 3, "code": "r"}))
    assert len(moved) == 3
    assert set(moved) & set(taker) and not set(moved) & set(stranger)
