"""The keys changed last, from values."""

from __future__ import annotations

from typing import Any

from cdc.event import Change, Event, Place, Truncate
from cdc.recent import Recent

KEYS = {"items": ("id",), "lines": ("item", "n")}


def change(op: str, before: Any, after: Any, table: str = "items") -> Event:
    return Change(0, op, "shop", table, before, after, None, "binlog.1", 4)


def test_keeps_the_newest_of_mapped_tables_each_once() -> None:
    recent = Recent(3)
    recent.add([change("c", None, {"id": n, "title": "x"}) for n in range(5)], KEYS)
    recent.add([change("d", {"id": 2}, None), change("u", {"id": 9}, {"id": 9}, "other")], KEYS)
    recent.add([Truncate(0, "shop", "items", Place(None, "binlog.1", 4))], KEYS)
    recent.add([change("c", None, {"item": 1, "n": "b", "title": "x"}, "lines")], KEYS)
    assert recent.rows == (("items", {"id": 4}), ("items", {"id": 2}), ("lines", {"item": 1, "n": "b"}))


def test_keeps_nothing_where_nobody_looks() -> None:
    recent = Recent(0)
    recent.add([change("c", None, {"id": 1})], KEYS)
    assert recent.rows == ()
