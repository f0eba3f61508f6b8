"""Keys of every sort: composite, text, binary, made by an expression."""

from __future__ import annotations

from typing import Any

import pytest

from cdc.mapping import CapabilityMapping, TableMapping
from cdc.verify import Limits
from cdc.verify.capability import _plan
from cdc.verify.side import Sessions

pytestmark = pytest.mark.real


def ranges_match(lab: Any, mapping: CapabilityMapping) -> bool:
    return _plan(mapping.tables[0], Sessions("legacy", lab.legacy), Sessions("new", lab.new)).ranges


def check(lab: Any, execute: Any, mapping: CapabilityMapping, *, one_row: str, other_row: str) -> None:
    """Equal at first; then ``one_row`` (a condition on the new side) is deleted and ``other_row`` changed."""
    (table,) = lab.verify(mapping, limits=Limits(chunk_rows=7)).tables
    assert (table.differences, table.rows) == (0, 60)
    execute(lab.new, f"DELETE FROM n WHERE {one_row}", f"UPDATE n SET v = 'changed' WHERE {other_row}")
    (table,) = lab.verify(mapping, limits=Limits(chunk_rows=7)).tables
    assert (table.missing_total, table.extra_total, table.differing_total) == (1, 0, 1)
    (mended,) = lab.verify(mapping, limits=Limits(chunk_rows=7), repair=True).tables
    assert mended.equal
    assert len(mended.repaired) == 2
    assert lab.verify(mapping, limits=Limits(chunk_rows=7)).equal


def test_composite_keys(lab: Any, execute: Any) -> None:
    values = ", ".join(f"({n // 7}, 'k{n % 7}', 'v{n}')" for n in range(60))
    mapping = lab.create(
        "CREATE TABLE o (a INT, b VARCHAR(10) COLLATE utf8mb4_bin, v TEXT, PRIMARY KEY (a, b)) CHARSET utf8mb4",
        "CREATE TABLE n (a BIGINT, b VARCHAR(10) COLLATE utf8mb4_bin, v TEXT, PRIMARY KEY (a, b)) CHARSET utf8mb4",
        TableMapping("n", "o", {"a": "a", "b": "b"}, {"v": "v"}),
        f"INSERT INTO o VALUES {values}",
    )
    check(lab, execute, mapping, one_row="a = 3 AND b = 'k3'", other_row="a = 8 AND b = 'k0'")


def test_a_key_in_another_order_than_the_index_is_hashed(mysql_lab: Any, execute: Any) -> None:
    values = ", ".join(f"({n // 7}, {n % 7}, 'v{n}')" for n in range(60))
    mapping = mysql_lab.create(
        "CREATE TABLE o (a INT, b INT, v TEXT, PRIMARY KEY (a, b))",
        "CREATE TABLE n (a INT, b INT, v TEXT, PRIMARY KEY (b, a))",
        TableMapping("n", "o", {"a": "a", "b": "b"}, {"v": "v"}),
        f"INSERT INTO o VALUES {values}",
    )
    assert not ranges_match(mysql_lab, mapping)
    check(mysql_lab, execute, mapping, one_row="a = 3 AND b = 3", other_row="a = 8 AND b = 0")


WORDS = ["a", "B", "b-b", "ö", "Ü1", "z", "ZZ", "é", "0", "_", "ñ", "ss"]


@pytest.mark.parametrize(
    ("old", "new", "same"),
    [
        ("utf8mb4_unicode_ci", "utf8mb4_unicode_ci", True),
        ("utf8mb4_bin", "utf8mb4_unicode_ci", False),
        ("utf8mb4_unicode_ci", "utf8mb4_bin", False),
    ],
)
def test_text_keys_that_the_sides_sort_alike_or_not(
    mysql_lab: Any, execute: Any, old: str, new: str, same: bool
) -> None:
    values = ", ".join(f"('{WORDS[n % 12]} {n // 12}', 'v{n}')" for n in range(60))
    mapping = mysql_lab.create(
        f"CREATE TABLE o (k VARCHAR(20) COLLATE {old} PRIMARY KEY, v TEXT) CHARSET utf8mb4",
        f"CREATE TABLE n (k VARCHAR(20) COLLATE {new} PRIMARY KEY, v TEXT) CHARSET utf8mb4",
        TableMapping("n", "o", {"k": "k"}, {"v": "v"}),
        f"INSERT INTO o VALUES {values}",
    )
    assert ranges_match(mysql_lab, mapping) is same
    check(mysql_lab, execute, mapping, one_row="k = 'ö 2'", other_row="k = '_ 4'")


def test_text_keys_between_different_servers(lab: Any, execute: Any) -> None:
    values = ", ".join(f"('{WORDS[n % 12]} {n // 12}', 'v{n}')" for n in range(60))
    mapping = lab.create(
        "CREATE TABLE o (k VARCHAR(20) PRIMARY KEY, v TEXT) CHARSET utf8mb4 COLLATE utf8mb4_general_ci",
        "CREATE TABLE n (k VARCHAR(20) PRIMARY KEY, v TEXT) CHARSET utf8mb4 COLLATE utf8mb4_general_ci",
        TableMapping("n", "o", {"k": "k"}, {"v": "v"}),
        f"INSERT INTO o VALUES {values}",
    )
    check(lab, execute, mapping, one_row="k = 'ö 2'", other_row="k = '_ 4'")


def test_keys_that_only_letter_case_tells_apart(lab: Any, execute: Any) -> None:
    mapping = lab.create(
        "CREATE TABLE o (k VARCHAR(20) COLLATE utf8mb4_bin PRIMARY KEY, v TEXT) CHARSET utf8mb4",
        "CREATE TABLE n (k VARCHAR(20) COLLATE utf8mb4_bin PRIMARY KEY, v TEXT) CHARSET utf8mb4",
        TableMapping("n", "o", {"k": "k"}, {"v": "v"}),
        "INSERT INTO o VALUES ('a', '1'), ('A', '2'), ('b', '3'), ('B', '4')",
    )
    execute(lab.new, "DELETE FROM n WHERE k = 'A'", "UPDATE n SET k = 'C' WHERE k = 'B'")
    (table,) = lab.verify(mapping).tables
    assert [key["k"] for key in table.missing] == ["A", "B"]
    assert [key["k"] for key in table.extra] == ["C"]


def test_a_key_made_by_an_expression(lab: Any, execute: Any) -> None:
    values = ", ".join(f"({n}, 'v{n}')" for n in range(60))
    mapping = lab.create(
        "CREATE TABLE o (id INT PRIMARY KEY, v TEXT) CHARSET utf8mb4",
        "CREATE TABLE n (uuid BINARY(16) PRIMARY KEY, legacy_id BIGINT NOT NULL, v TEXT) CHARSET utf8mb4",
        TableMapping("n", "o", {"uuid": "UNHEX(MD5(CONCAT('item/', id)))"}, {"legacy_id": "id", "v": "v"}),
        f"INSERT INTO o VALUES {values}",
    )
    check(lab, execute, mapping, one_row="legacy_id = 7", other_row="legacy_id = 59")


def test_binary_keys_with_padding(lab: Any, execute: Any) -> None:
    values = ", ".join(f"(UNHEX(HEX({n * 256})), 'v{n}')" for n in range(60, 120))
    mapping = lab.create(
        "CREATE TABLE o (k BINARY(4) PRIMARY KEY, v TEXT) CHARSET utf8mb4",
        "CREATE TABLE n (k BINARY(4) PRIMARY KEY, v TEXT) CHARSET utf8mb4",
        TableMapping("n", "o", {"k": "k"}, {"v": "v"}),
        f"INSERT INTO o VALUES {values}",
    )
    check(lab, execute, mapping, one_row="HEX(k) = '4D000000'", other_row="v = 'v100'")


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("DATETIME(6)", "'2024-01-01' + INTERVAL {n} * 250001 MICROSECOND"),
        ("DATE", "'2024-01-01' + INTERVAL {n} DAY"),
        ("DECIMAL(20,4)", "{n} - 30.5"),
        ("BIGINT UNSIGNED", "18446744073709551615 - {n}"),
        ("TIMESTAMP", "'2024-01-01' + INTERVAL {n} SECOND"),
    ],
)
def test_keys_of_other_types(lab: Any, execute: Any, kind: str, value: str) -> None:
    values = ", ".join(f"({value.format(n=n)}, 'v{n}')" for n in range(60))
    mapping = lab.create(
        f"CREATE TABLE o (k {kind} NOT NULL PRIMARY KEY, v TEXT) CHARSET utf8mb4",
        f"CREATE TABLE n (k {kind} NOT NULL PRIMARY KEY, v TEXT) CHARSET utf8mb4",
        TableMapping("n", "o", {"k": "k"}, {"v": "v"}),
        f"INSERT INTO o VALUES {values}",
    )
    assert ranges_match(lab, mapping)
    check(lab, execute, mapping, one_row="v = 'v7'", other_row="v = 'v59'")
