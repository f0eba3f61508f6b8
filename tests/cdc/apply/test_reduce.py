"""A batch comes down to one state per key."""

from __future__ import annotations

from typing import Any

import pytest

from cdc.apply.reduce import MissingKey, TableBatch, key_text, reduce
from cdc.event import Change, Row

KEYS = {"items": ("id",), "lines": ("order", "line")}


def change(op: str, before: Row | None, after: Row | None, table: str = "items") -> Change:
    return Change(0, op, "shop", table, before, after, "u:1", "binlog.1", 4)


def create(**row: Any) -> Change:
    return change("c", None, row)


def update(before: Row, **after: Any) -> Change:
    return change("u", before, after)


def delete(**row: Any) -> Change:
    return change("d", row, None)


def batch(*changes: Change) -> TableBatch:
    return reduce(changes, KEYS)["items"]


def test_the_last_state_counts():
    made = batch(create(id=1, v=1), update({"id": 1, "v": 1}, id=1, v=2), update({"id": 1, "v": 2}, id=1, v=3))
    assert made.stored() == [{"id": 1, "v": 3}]
    assert made.gone(()) == []


def test_rows_come_in_the_order_of_their_first_change():
    made = batch(create(id=3), create(id=1), update({"id": 3}, id=3, v=1), create(id=2))
    assert [row["id"] for row in made.stored()] == [3, 1, 2]


def test_a_deleted_row_is_gone_with_its_image_from_before_the_batch():
    made = batch(update({"id": 1, "v": 1}, id=1, v=2), delete(id=1, v=2))
    assert made.stored() == []
    assert made.gone(()) == [{"id": 1, "v": 1}]


def test_deleted_and_made_again_is_stored():
    made = batch(delete(id=1, v=1), create(id=1, v=2))
    assert made.stored() == [{"id": 1, "v": 2}]
    assert made.gone(()) == []
    assert made.gone(("v",)) == [{"id": 1, "v": 1}]  # v is part of the target's key: the row there is another now


def test_made_and_deleted_within_the_batch_is_gone_all_the_same():
    assert batch(create(id=1, v=1), delete(id=1, v=1)).gone(()) == [{"id": 1, "v": 1}]


def test_a_changed_key_is_a_row_gone_and_another_there():
    # as the engine sends it
    made = batch(delete(id=1, v=1), create(id=2, v=1), update({"id": 2, "v": 1}, id=2, v=5))
    assert made.gone(()) == [{"id": 1, "v": 1}]
    assert made.stored() == [{"id": 2, "v": 5}]


def test_keys_that_swap():
    made = batch(
        delete(id=1, v="a"),
        create(id=9, v="a"),
        delete(id=2, v="b"),
        create(id=1, v="b"),
        delete(id=9, v="a"),
        create(id=2, v="a"),
    )
    assert made.stored() == [{"id": 1, "v": "b"}, {"id": 2, "v": "a"}]
    assert made.gone(()) == [{"id": 9, "v": "a"}]


def test_watched_columns_that_did_not_change_leave_the_row():
    made = batch(update({"id": 1, "code": "x", "v": 1}, id=1, code="x", v=2))
    assert made.gone(("code",)) == []


def test_tables_and_composite_keys_are_kept_apart():
    batches = reduce(
        [
            create(id=1),
            change("c", None, {"order": 1, "line": 1}, "lines"),
            change("c", None, {"order": 1, "line": 2}, "lines"),
            change("d", {"order": 1, "line": 1}, None, "lines"),
            change("c", None, {"id": 1}, "not mapped"),
        ],
        KEYS,
    )
    assert set(batches) == {"items", "lines"}
    assert batches["lines"].stored() == [{"order": 1, "line": 2}]
    assert batches["lines"].gone(()) == [{"order": 1, "line": 1}]


def test_an_event_without_its_key_is_an_error():
    with pytest.raises(MissingKey, match=r"shop\.items has no column id"):
        batch(create(v=1))


def test_a_key_for_people():
    assert key_text(change("d", {"order": 7, "line": 2, "v": 1}, None, "lines"), KEYS["lines"]) == "order=7, line=2"
