"""Places in a binlog."""

from __future__ import annotations

import pytest

from cdc.position import MariaDbGtids, MySqlGtids, Position, PositionError, file_number, parse_gtids

A, B = "3e11fa47-71ca-11e1-9e33-c80aa9429562", "4e11fa47-71ca-11e1-9e33-c80aa9429562"


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("", ""),
        (f"{A}:5", f"{A}:5"),
        (f"{A.upper()}:1-5", f"{A}:1-5"),
        (f"{A}:1-3:4-5:9", f"{A}:1-5:9"),  # neighbours are one
        (f"{A}:7-9:1-3:2-5", f"{A}:1-5:7-9"),  # overlaps are one, in order
        (f"{B}:1,\n{A}:2", f"{A}:2,{B}:1"),
        (f"{A}:1-2,{A}:3", f"{A}:1-3"),
        (f"{A}:1:tag:4-5", f"{A}:1,{A}:tag:4-5"),
    ],
)
def test_mysql_sets_are_written_one_way(text: str, written: str):
    assert str(MySqlGtids.parse(text)) == written
    assert MySqlGtids.parse(written) == MySqlGtids.parse(text)


@pytest.mark.parametrize("text", [f"{A}", f"{A}:", f"{A}:x-y", f"{A}:5-3", "0-1-5", "nonsense:1"])
def test_what_is_no_mysql_set_is_refused(text: str):
    with pytest.raises(PositionError):
        MySqlGtids.parse(text)


@pytest.mark.parametrize(
    ("larger", "smaller", "contains"),
    [
        (f"{A}:1-5", f"{A}:1-5", True),
        (f"{A}:1-5", f"{A}:2:4", True),
        (f"{A}:1-5", "", True),
        ("", f"{A}:1", False),
        (f"{A}:1-5:7", f"{A}:6", False),
        (f"{A}:1-5:7-9", f"{A}:4-8", False),  # a hole between
        (f"{A}:1-5", f"{A}:1,{B}:1", False),
        (f"{A}:1-5", f"{A}:tag:1", False),  # a tag is another source
    ],
)
def test_which_mysql_set_contains_which(larger: str, smaller: str, contains: bool):
    assert MySqlGtids.parse(larger).contains(MySqlGtids.parse(smaller)) is contains


def test_mysql_sets_join_and_count():
    joined = MySqlGtids.parse(f"{A}:1-3").union(MySqlGtids.parse(f"{A}:4:9,{B}:1"))
    assert str(joined) == f"{A}:1-4:9,{B}:1"
    assert joined.count() == 6


def test_mariadb_positions():
    position = MariaDbGtids.parse("1-7-5, 0-1-100,0-2-99")
    assert str(position) == "0-1-100,1-7-5"  # of a domain the highest counts
    assert position.contains(MariaDbGtids.parse("0-9-100"))  # whichever server wrote it
    assert not position.contains(MariaDbGtids.parse("0-1-101"))
    assert not position.contains(MariaDbGtids.parse("2-1-1"))  # a domain never seen
    assert str(position.union(MariaDbGtids.parse("0-2-101"))) == "0-2-101,1-7-5"
    assert position.count() == 105
    with pytest.raises(PositionError):
        MariaDbGtids.parse("0-1")


def test_sets_are_known_by_their_shape():
    assert isinstance(parse_gtids("0-1-5"), MariaDbGtids)
    assert isinstance(parse_gtids(f"{A}:1"), MySqlGtids)
    assert parse_gtids(" ") is None


@pytest.mark.parametrize("text", [f"{A}:1-5 @ b.000012:4711", "0-1-5", "binlog.000012:4", "0-1-5 @ b.1:4", f"{A}:1"])
def test_positions_are_read_as_they_are_written(text: str):
    assert str(Position.parse(text)) == text


@pytest.mark.parametrize("text", ["", "binlog.000012", "binlog.000012:x", ":4"])
def test_what_is_no_position_is_refused(text: str):
    with pytest.raises(PositionError):
        Position.parse(text)


def test_files_are_ordered_by_their_number_not_their_letters():
    assert Position.parse("binlog.1000000:4").contains(Position.parse("binlog.999999:400"))
    assert not Position.parse("binlog.000001:399").contains(Position.parse("binlog.000001:400"))
    with pytest.raises(PositionError):
        file_number("binlog")


def test_gtids_count_before_files_which_a_failover_changes():
    assert Position.parse(f"{A}:1-9 @ binlog.000001:4").contains(Position.parse(f"{A}:1-8 @ binlog.000077:4"))


@pytest.mark.parametrize("other", ["0-1-5", "binlog.000001:4"])
def test_positions_of_different_kinds_are_not_compared(other: str):
    with pytest.raises(PositionError, match="different kinds"):
        Position.parse(f"{A}:1").contains(Position.parse(other))


def test_one_more_transaction():
    assert str(Position.parse(f"{A}:1-4 @ b.1:4").with_transaction(f"{A}:5")) == f"{A}:1-5 @ b.1:4"
    assert str(Position.parse("0-1-4").with_transaction("0-1-5")) == "0-1-5"
    assert str(Position.parse("b.1:4").with_transaction(None)) == "b.1:4"
    with pytest.raises(PositionError):
        Position.parse("0-1-4").with_transaction(f"{A}:5")
