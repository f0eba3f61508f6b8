"""Comparing real tables on real servers: what is planted is named, and nothing else."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from cdc.mapping import CapabilityMapping, TableMapping
from cdc.verify import Cell, Limits, Progress, VerifyError

pytestmark = pytest.mark.real

LEGACY = """
    CREATE TABLE items (id INT PRIMARY KEY, title VARCHAR(100) NOT NULL, price DECIMAL(10,2), status SMALLINT NOT NULL,
    created_at DATETIME NOT NULL, weight DOUBLE, deleted_at DATETIME) DEFAULT CHARSET utf8mb4
"""
NEW = """
    CREATE TABLE catalog_items (legacy_id BIGINT PRIMARY KEY, title VARCHAR(100) NOT NULL, price_cents BIGINT,
    status ENUM('listed', 'sold') NOT NULL, created_at DATETIME(6) NOT NULL, weight DOUBLE,
    boost INT NOT NULL DEFAULT 7) DEFAULT CHARSET utf8mb4
"""
MAPPING = TableMapping(
    table="catalog_items",
    source="items",
    key={"legacy_id": "id"},
    columns={
        "title": "TRIM(title)",
        "price_cents": "CAST(price * 100 AS SIGNED)",
        "status": "ELT(status, 'listed', 'sold')",
        "created_at": "created_at + INTERVAL 8 HOUR",
        "weight": "weight",
    },
    where="deleted_at IS NULL",
)


def rows(count: int, step: int = 1) -> str:
    values = ", ".join(
        f"({n}, 'Item {n} ', {n / 8:.2f}, {1 + n % 2}, '2024-01-01' + INTERVAL {n} HOUR, {n} / 7,"
        f" {'NOW()' if n % 10 == 3 else 'NULL'})"
        for n in range(1, count * step + 1, step)
    )
    return f"INSERT INTO items VALUES {values}"


def shop(lab: Any, count: int = 100, step: int = 1) -> CapabilityMapping:
    return lab.create(LEGACY, NEW, MAPPING, rows(count, step))


@pytest.mark.parametrize("chunk_rows", [7, 20_000])
def test_equal_tables_are_equal(lab: Any, chunk_rows: int) -> None:
    result = lab.verify(shop(lab), limits=Limits(chunk_rows=chunk_rows))
    (table,) = result.tables
    assert result.equal
    assert (table.rows, table.differences, table.in_flight) == (90, 0, 0)
    assert not table.waited


@pytest.mark.parametrize("chunk_rows", [7, 20_000])
def test_each_planted_difference_is_named_and_nothing_else(lab: Any, execute: Any, chunk_rows: int) -> None:
    mapping = shop(lab, step=5)
    execute(
        lab.new,
        "DELETE FROM catalog_items WHERE legacy_id IN (1, 46, 496)",
        "INSERT INTO catalog_items (legacy_id, title, status, created_at) VALUES"
        " (-5, 'below', 'sold', NOW()), (48, 'between', 'sold', NOW()), (7000000000, 'above', 'sold', NOW())",
        "UPDATE catalog_items SET title = 'Zoe', weight = NULL WHERE legacy_id = 101",
        "UPDATE catalog_items SET price_cents = price_cents + 1 WHERE legacy_id = 201",
    )
    # On the other side a row that should have left, as `where` says.
    execute(
        lab.legacy, "UPDATE items SET deleted_at = NOW() WHERE id = 301", "UPDATE items SET title='Zoé' WHERE id=101"
    )
    (table,) = lab.verify(mapping, limits=Limits(chunk_rows=chunk_rows)).tables
    assert [key["legacy_id"] for key in table.missing] == [1, 46, 496]
    assert sorted(key["legacy_id"] for key in table.extra) == [-5, 48, 301, 7000000000]
    assert {d.key["legacy_id"]: dict(d.columns) for d in table.differing} == {
        101: {"title": Cell("Zoé", "Zoe"), "weight": Cell(pytest.approx(101 / 7, abs=1e-3), None)},
        201: {"price_cents": Cell(2512, 2513)},
    }
    assert (table.missing_total, table.extra_total, table.differing_total) == (3, 4, 2)
    assert not table.equal


def test_service_owned_columns_are_not_compared(lab: Any, execute: Any) -> None:
    mapping = shop(lab)
    execute(lab.new, "UPDATE catalog_items SET boost = legacy_id")
    assert lab.verify(mapping).equal


def test_rows_that_swapped_values_are_found(mysql_lab: Any, execute: Any) -> None:
    """CRC32 summed up by XOR is blind to this: the four values cancel out."""
    mapping = shop(mysql_lab)
    execute(
        mysql_lab.new,
        "UPDATE catalog_items SET title = IF(legacy_id = 11, 'Item 12', 'Item 11') WHERE legacy_id IN (11, 12)",
    )
    (table,) = mysql_lab.verify(mapping).tables
    assert [d.key["legacy_id"] for d in table.differing] == [11, 12]


def test_every_one_of_many_single_changes_is_found(lab: Any, execute: Any) -> None:
    """Digests use all of their 64 bits on both servers: were they cut to 63, half of the changes would be missed."""
    mapping = shop(lab, 400)
    changed = [n for n in range(1, 400, 3) if n % 10 != 3]
    execute(
        lab.new, f"UPDATE catalog_items SET price_cents = 999999 WHERE legacy_id IN ({','.join(map(str, changed))})"
    )
    (table,) = lab.verify(mapping, limits=Limits(chunk_rows=1)).tables
    assert [d.key["legacy_id"] for d in table.differing] == changed


@pytest.mark.parametrize(("legacy_rows", "new_rows"), [(0, 0), (0, 5), (5, 0)])
def test_empty_tables(lab: Any, execute: Any, legacy_rows: int, new_rows: int) -> None:
    mapping = lab.create(LEGACY, NEW, MAPPING)
    if legacy_rows:
        execute(
            lab.legacy,
            "INSERT INTO items VALUES " + ",".join(f"({n},'t',1,1,NOW(),1,NULL)" for n in range(legacy_rows)),
        )
    if new_rows:
        values = ",".join(f"({n},'t',1,'sold',NOW(),1,1)" for n in range(new_rows))
        execute(lab.new, f"INSERT INTO catalog_items VALUES {values}")
    (table,) = lab.verify(mapping, limits=Limits(chunk_rows=2)).tables
    assert (table.missing_total, table.extra_total, table.rows) == (legacy_rows, new_rows, legacy_rows)


def test_many_extra_rows_between_two_legacy_keys(mysql_lab: Any, execute: Any) -> None:
    """One chunk of the legacy side may be any number of chunks on the other: it is split until it fits."""
    mapping = shop(mysql_lab, 20, step=1000)
    values = ",".join(f"({n},'t',1,'sold',NOW(),1,1)" for n in range(5002, 5502))
    execute(mysql_lab.new, f"INSERT INTO catalog_items VALUES {values}")
    (table,) = mysql_lab.verify(mapping, limits=Limits(chunk_rows=10)).tables
    assert [key["legacy_id"] for key in table.extra] == list(range(5002, 5502))
    assert table.missing_total == table.differing_total == 0


def test_lists_are_capped_and_counts_are_not(mysql_lab: Any, execute: Any) -> None:
    mapping = shop(mysql_lab)
    execute(
        mysql_lab.new,
        "UPDATE catalog_items SET title = 'x' WHERE legacy_id <= 60",
        "DELETE FROM catalog_items WHERE legacy_id > 60",
    )
    (table,) = mysql_lab.verify(mapping, listed_at_most=5, limits=Limits(chunk_rows=10)).tables
    assert len(table.missing) + len(table.differing) == 5
    assert (table.missing_total, table.differing_total) == (36, 54)


def test_json_has_the_keys_of_the_contract(mysql_lab: Any, execute: Any) -> None:
    mapping = shop(mysql_lab)
    execute(mysql_lab.new, "UPDATE catalog_items SET title = 'x' WHERE legacy_id = 1")
    answer = mysql_lab.verify(mapping).to_json()
    assert {"equal", "tables", "in_flight"} <= answer.keys()
    (table,) = answer["tables"]
    assert {"table", "rows", "rows_per_second", "missing", "extra", "differing"} <= table.keys()
    assert table["differing"] == [{"key": {"legacy_id": 1}, "columns": {"title": {"legacy": "Item 1", "new": "x"}}}]


def test_progress_ends_with_all_rows(mysql_lab: Any) -> None:
    told: list[Progress] = []
    mysql_lab.verify(shop(mysql_lab), progress=told.append)
    assert told[-1].table == "catalog_items"
    assert (told[-1].rows, told[-1].rows_expected, told[-1].seconds_left) == (90, 90, 0.0)


def test_only_the_named_tables_are_compared(mysql_lab: Any) -> None:
    mapping = shop(mysql_lab)
    assert [t.table for t in mysql_lab.verify(mapping, tables=["catalog_items"]).tables] == ["catalog_items"]
    with pytest.raises(VerifyError, match="maps no table catalog_item: did you mean catalog_items"):
        mysql_lab.verify(mapping, tables=["catalog_item"])


def test_a_key_that_several_rows_share_is_an_error(mysql_lab: Any, execute: Any) -> None:
    mapping = shop(mysql_lab)
    shared = CapabilityMapping("catalog", (TableMapping("catalog_items", "items", {"legacy_id": "id DIV 2"}, {}),))
    assert mapping
    with pytest.raises(VerifyError, match="several rows with the key legacy_id"):
        mysql_lab.verify(shared)


def test_a_server_that_is_away_is_an_error_in_words(mysql_lab: Any) -> None:
    mapping = shop(mysql_lab)
    mysql_lab.new = dataclasses.replace(mysql_lab.new, port=1)
    with pytest.raises(VerifyError, match=r"the new side \(127.0.0.1:1/.* failed"):
        mysql_lab.verify(mapping)
