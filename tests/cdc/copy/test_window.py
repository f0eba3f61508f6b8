from __future__ import annotations

from cdc.copy.window import Windows
from cdc.event import Change, Place, SchemaChange, Truncate

PLACE = Place(None, "binlog.000001", 4)


def change(op: str, key: int, table: str = "t") -> Change:
    row = {"id": key, "part": "a", "title": "x"}
    return Change(0, op, "s", table, None if op == "c" else row, None if op == "d" else row, None, "b", 4)


def windows(most: int = 100) -> Windows:
    return Windows({"t": ("id",), "u": ("part", "id")}, most)


def test_a_window_gives_the_keys_since_it_was_opened_each_once():
    them = windows()
    them.note([change("c", 1)])
    window = them.open("t")
    them.note([change("c", 2), change("d", 3), change("u", 2), change("c", 4, "u")])
    assert them.close(window) == [(2,), (3,)]
    assert them.close(window) is None  # it is closed
    assert them.kept("t") == 0


def test_keys_of_several_columns_are_in_the_order_of_the_primary_key():
    them = windows()
    window = them.open("u")
    them.note([change("u", 7, "u")])
    assert them.close(window) == [("a", 7)]


def test_windows_overlap_and_only_what_the_oldest_needs_is_kept():
    them = windows()
    first = them.open("t")
    them.note([change("c", 1)])
    second = them.open("t")
    them.note([change("c", 2)])
    assert them.close(first) == [(1,), (2,)]
    assert them.kept("t") == 1
    them.note([change("c", 3)])
    assert them.close(second) == [(2,), (3,)]
    assert them.kept("t") == 0


def test_a_truncate_spoils_the_windows_of_its_table_alone():
    them = windows()
    window, other = them.open("t"), them.open("u")
    them.note([Truncate(0, "s", "t", PLACE)])
    assert window.spoilt and "emptied" in window.spoilt
    assert them.close(window) is None
    assert them.close(other) == []
    assert them.close(them.open("t")) == []  # one opened later is good


def test_an_altered_table_spoils_its_windows():
    them = windows()
    window = them.open("t")
    them.note([SchemaChange(0, "ALTER TABLE t ...", (("s", "t"),), {}, PLACE)])
    assert them.close(window) is None


def test_a_burst_of_changes_spoils_windows_instead_of_filling_memory():
    them = windows(most=10)
    window = them.open("t")
    them.note([change("c", key) for key in range(8)])
    later = them.open("t")
    them.note([change("c", key) for key in range(8)])
    assert them.close(window) is None and them.close(later) is None
    assert them.kept("t") <= 10
    fresh = them.open("t")
    them.note([change("c", 5)])
    assert them.close(fresh) == [(5,)]
    assert them.kept("t") == 0


def test_a_change_without_its_key_spoils_and_is_left_to_the_applier():
    them = windows()
    window = them.open("t")
    them.note([Change(0, "c", "s", "t", None, {"title": "x"}, None, "b", 4)])
    assert them.close(window) is None


def test_tables_that_are_not_copied_are_no_business_of_windows():
    them = windows()
    them.note([change("c", 1, "elsewhere"), Truncate(0, "s", "elsewhere", PLACE)])
    assert them.kept("t") == 0
