"""A repair writes the owner's value for exactly the keys that were found different."""

from __future__ import annotations

from typing import Any

import pytest

from cdc.mapping import CapabilityMapping, TableMapping
from cdc.verify import VerifyError

pytestmark = pytest.mark.real

LEGACY = """
    CREATE TABLE o (id INT PRIMARY KEY, name VARCHAR(40), price DECIMAL(20,10), weight DOUBLE, made DATETIME(6),
    raw BLOB, notes JSON) CHARSET utf8mb4
"""
NEW = """
    CREATE TABLE n (legacy_id BIGINT PRIMARY KEY, name TEXT, price DECIMAL(20,10), weight DOUBLE,
    made TIMESTAMP(6) NULL, raw VARBINARY(40), notes JSON, own INT NOT NULL DEFAULT 1) CHARSET utf8mb4
"""
COLUMNS = {name: name for name in ("name", "price", "weight", "made", "raw", "notes")}


def thirty(lab: Any) -> CapabilityMapping:
    values = ", ".join(
        f"""({n}, 'it''s \\\\ "{n}" 🛍 ', {n} / 7, {n} / 3e0, '2024-01-01 00:00:00.000001', x'00FF275C22',"""
        f""" '{{"b": [1.5, null], "a": "é\\\\"{n}"}}')"""
        for n in range(29)
    )
    nulls = "(29, NULL, NULL, NULL, NULL, NULL, NULL)"
    return lab.create(
        LEGACY, NEW, TableMapping("n", "o", {"legacy_id": "id"}, COLUMNS), f"INSERT INTO o VALUES {values}, {nulls}"
    )


def test_exactly_the_different_rows_are_written(lab: Any, execute: Any) -> None:
    mapping = thirty(lab)
    execute(
        lab.new,
        "UPDATE n SET own = legacy_id + 1000",
        "DELETE FROM n WHERE legacy_id IN (3, 29)",
        "UPDATE n SET name = 'x', price = 1, weight = 2, made = NULL, raw = NULL, notes = '[]' WHERE legacy_id = 5",
        "INSERT INTO n (legacy_id) VALUES (77)",
        # A witness that no other row is touched.
        "CREATE TABLE touched (legacy_id BIGINT, what VARCHAR(10))",
        "CREATE TRIGGER t1 AFTER INSERT ON n FOR EACH ROW INSERT INTO touched VALUES (NEW.legacy_id, 'insert')",
        "CREATE TRIGGER t2 AFTER UPDATE ON n FOR EACH ROW INSERT INTO touched VALUES (NEW.legacy_id, 'update')",
        "CREATE TRIGGER t3 AFTER DELETE ON n FOR EACH ROW INSERT INTO touched VALUES (OLD.legacy_id, 'delete')",
    )
    (table,) = lab.verify(mapping, repair=True).tables
    assert table.equal
    assert [key["legacy_id"] for key in table.repaired] == [3, 5, 29, 77]
    # What was found is still told.
    assert (table.missing_total, table.differing_total, table.extra_total) == (2, 1, 1)
    assert sorted(execute(lab.new, "SELECT * FROM touched")) == [
        (3, "insert"), (5, "update"), (29, "insert"), (77, "delete"),
    ]  # fmt: skip
    assert execute(lab.new, "SELECT own FROM n WHERE legacy_id = 5") == [(1005,)]
    assert lab.verify(mapping).equal


def test_a_whole_table_can_be_mended(lab: Any, execute: Any) -> None:
    """Every type goes through a repair unbent: the comparison afterwards says so."""
    mapping = thirty(lab)
    execute(lab.new, "DELETE FROM n")
    assert lab.verify(mapping, repair=True).equal
    assert lab.verify(mapping).equal


def test_nothing_is_written_without_being_asked(mysql_lab: Any, execute: Any) -> None:
    mapping = thirty(mysql_lab)
    execute(mysql_lab.new, "DELETE FROM n WHERE legacy_id = 3")
    assert not mysql_lab.verify(mapping).equal
    assert execute(mysql_lab.new, "SELECT COUNT(*) FROM n") == [(29,)]


def test_a_list_that_was_capped_is_mended_in_part_and_says_so(mysql_lab: Any, execute: Any) -> None:
    mapping = thirty(mysql_lab)
    execute(mysql_lab.new, "DELETE FROM n WHERE legacy_id < 10")
    (table,) = mysql_lab.verify(mapping, repair=True, listed_at_most=4).tables
    assert (len(table.repaired), table.missing_total, table.equal) == (4, 10, False)


def test_a_row_that_cannot_be_written_is_named(mysql_lab: Any, execute: Any) -> None:
    mapping = thirty(mysql_lab)
    execute(mysql_lab.new, "ALTER TABLE n ADD UNIQUE (price)", "DELETE FROM n WHERE legacy_id = 5")
    execute(mysql_lab.new, "UPDATE n SET price = 5 / 7 WHERE legacy_id = 6")
    with pytest.raises(VerifyError, match=r"n, legacy_id 5: the owner's row can't be written: Duplicate entry"):
        mysql_lab.verify(mapping, repair=True)
    # The transaction was undone as a whole.
    assert execute(mysql_lab.new, "SELECT COUNT(*) FROM n") == [(29,)]
