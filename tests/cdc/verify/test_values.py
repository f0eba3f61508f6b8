"""What counts as equal: the value, not its text, type or server; and exactly the value."""

from __future__ import annotations

from typing import Any

import pytest

from cdc.mapping import CapabilityMapping, TableMapping

pytestmark = pytest.mark.real

# Legacy type, new type, a value as SQL: equal on both sides.
EQUAL = [
    ("INT", "BIGINT", "-2147483648"),
    ("INT UNSIGNED", "BIGINT", "4294967295"),
    ("INT(8) ZEROFILL", "BIGINT", "42"),
    ("BIGINT", "BIGINT", "9223372036854775807"),
    ("BIGINT UNSIGNED", "BIGINT UNSIGNED", "18446744073709551615"),
    ("SMALLINT", "VARCHAR(10)", "7"),
    ("DECIMAL(10,2)", "DECIMAL(12,4)", "0.10"),
    ("DECIMAL(65,30)", "DECIMAL(65,30)", "-12345678901234567890123456789012345.000000000000000000000000000001"),
    ("FLOAT", "FLOAT", "3.4028234e38"),
    ("FLOAT", "DOUBLE", "0.375"),
    ("DOUBLE", "DOUBLE", "1.7976931348623157e308"),
    ("DOUBLE", "DOUBLE", "2.2250738585072014e-308"),
    ("DOUBLE", "DOUBLE", "-0e0"),
    ("DOUBLE", "DOUBLE", "1/3"),
    ("VARCHAR(20)", "TEXT", "'Zoé 🛍 '"),
    ("VARCHAR(20) CHARACTER SET latin1", "VARCHAR(20)", "'Zoé'"),
    ("VARCHAR(20) CHARACTER SET utf16", "VARCHAR(20)", "'Zoé 🛍'"),
    ("CHAR(20)", "VARCHAR(20)", "'blank'"),
    ("ENUM('a','b')", "VARCHAR(10)", "'b'"),
    ("SET('a','b','c')", "SET('a','b','c')", "'a,c'"),
    ("TEXT", "LONGTEXT", "REPEAT('x', 60000)"),
    ("VARCHAR(20)", "VARCHAR(20)", "''"),
    ("BINARY(4)", "BINARY(4)", "x'0100'"),
    ("BINARY(4)", "BINARY(8)", "x'01000200'"),
    ("VARBINARY(20)", "BLOB", "x'00FF27225C2C'"),
    ("DATE", "DATE", "'1000-01-01'"),
    ("DATE", "DATETIME(6)", "'9999-12-31'"),
    ("DATETIME", "DATETIME(6)", "'1969-12-31 23:59:59'"),
    ("DATETIME(3)", "DATETIME(6)", "'2024-02-29 12:00:00.125'"),
    ("DATETIME", "DATETIME", "'0000-00-00 00:00:00'"),
    ("TIMESTAMP(6)", "DATETIME(6)", "'2038-01-19 03:14:07.999999'"),
    ("TIME(2)", "TIME(6)", "'-838:59:59.00'"),
    ("YEAR", "YEAR", "2155"),
    ("YEAR", "INT", "1901"),
    ("BIT(64)", "BIT(64)", "b'1000000000000000000000000000000000000000000000000000000000000001'"),
    ("JSON", "JSON", """'{"b": 1, "a": [1.5, true, null, "é"]}'"""),
    ("JSON", "JSON", "'null'"),
]
EQUAL += [(old, new, "NULL") for old, new in dict.fromkeys((old, new) for old, new, _ in EQUAL) if "JSON" not in old]


def of_values(lab: Any, execute: Any, values: list[tuple[str, str, str]]) -> CapabilityMapping:
    """One table with one column per value, the same value written to both sides by each server itself."""
    names = [f"c{n}" for n in range(len(values))]
    null = " NULL"
    old = ", ".join(f"{name} {legacy}{null}" for name, (legacy, _, _) in zip(names, values, strict=True))
    new = ", ".join(f"{name} {fresh}{null}" for name, (_, fresh, _) in zip(names, values, strict=True))
    written = ", ".join(value for _, _, value in values)
    execute(
        lab.legacy,
        f"CREATE TABLE t (id INT PRIMARY KEY, {old}) CHARSET utf8mb4",
        f"INSERT INTO t VALUES (1, {written})",
    )
    execute(
        lab.new, f"CREATE TABLE t (id INT PRIMARY KEY, {new}) CHARSET utf8mb4", f"INSERT INTO t VALUES (1, {written})"
    )
    return CapabilityMapping("c", (TableMapping("t", "t", {"id": "id"}, {name: name for name in names}),))


def test_equal_values_are_equal_whatever_type_and_server_holds_them(lab: Any, execute: Any) -> None:
    mapping = of_values(lab, execute, EQUAL)
    result = lab.verify(mapping)
    different = [(*EQUAL[int(name[1:])], cell) for d in result.tables[0].differing for name, cell in d.columns.items()]
    assert different == []
    assert result.equal


# Type on both sides, the legacy value, the new value: not equal.
DIFFERENT = [
    ("VARCHAR(20)", "'Zoé'", "'Zoe'"),
    ("VARCHAR(20)", "'a'", "'A'"),
    ("VARCHAR(20)", "'a'", "'a '"),
    ("VARCHAR(20)", "'a'", "'\\ta'"),
    ("VARCHAR(20)", "_utf8mb4 x'C3A9'", "_utf8mb4 x'65CC81'"),
    ("VARCHAR(20)", "NULL", "''"),
    ("VARCHAR(20)", "NULL", "'NULL'"),
    ("VARCHAR(20)", "NULL", "'-'"),
    ("TEXT", "NULL", "'-'"),
    ("TEXT", "'a'", "'a '"),
    ("TEXT", "''", "NULL"),
    ("INT", "NULL", "0"),
    ("DECIMAL(10,2)", "0.10", "0.11"),
    ("DECIMAL(65,30)", "1", "1.000000000000000000000000000001"),
    ("DOUBLE", "0.1", "0.1e0 + 2e-17"),
    ("FLOAT", "16777216", "16777218"),
    ("DATETIME(6)", "'2024-01-01 00:00:00.000001'", "'2024-01-01 00:00:00.000002'"),
    ("DATETIME", "'0000-00-00 00:00:00'", "NULL"),
    ("TIME", "'24:00:00'", "'00:00:00'"),
    ("VARBINARY(9)", "x'00'", "x'0000'"),
    ("BLOB", "x''", "NULL"),
    ("BIT(2)", "b'10'", "b'01'"),
    ("ENUM('a','b')", "'a'", "'b'"),
    ("JSON", "'[1, 2]'", "'[2, 1]'"),
    ("JSON", """'{"a": 1}'""", """'{"a": "1"}'"""),
    ("JSON", "'null'", "NULL"),
]


def test_each_difference_alone_is_found(lab: Any, execute: Any) -> None:
    """By the checksum of an otherwise equal row: no other column that differs helps."""
    mapping = of_values(lab, execute, [(kind, kind, old) for kind, old, _ in DIFFERENT])
    assert lab.verify(mapping).equal
    seen: list[Any] = []
    for number, (_, old, new) in enumerate(DIFFERENT):
        execute(lab.new, f"UPDATE t SET c{number} = {new}")
        seen.append([list(d.columns) for d in lab.verify(mapping).tables[0].differing])
        execute(lab.new, f"UPDATE t SET c{number} = {old}")
    assert seen == [[[f"c{number}"]] for number in range(len(DIFFERENT))]


def test_text_that_moved_over_a_column_border_is_found(lab: Any, execute: Any) -> None:
    mapping = of_values(lab, execute, [("VARCHAR(20)", "VARCHAR(20)", "'a,b'"), ("VARCHAR(20)", "VARCHAR(20)", "'c'")])
    execute(lab.new, "UPDATE t SET c0 = 'a', c1 = 'b,c'")
    assert not lab.verify(mapping).equal
    execute(lab.new, """UPDATE t SET c0 = "a,b'", c1 = "'c" """)
    assert not lab.verify(mapping).equal


def test_json_written_in_another_order_is_equal(lab: Any, execute: Any) -> None:
    mapping = of_values(lab, execute, [("JSON", "JSON", """'{"b": 1, "a": {"d": [1, 2], "c": 1e2}}'""")])
    execute(lab.new, """UPDATE t SET c0 = '{"a":{"c":1e2,"d":[1,2]},"b":1}'""")
    assert lab.verify(mapping).equal


def test_values_longer_than_a_packet_are_compared(lab: Any, execute: Any) -> None:
    """Functions give NULL for what is longer than max_allowed_packet: such rows must not drop out of the checksum."""
    half = 9_000_000
    values = [("LONGTEXT", "LONGTEXT", f"REPEAT('x', {half})"), ("LONGBLOB", "LONGBLOB", f"REPEAT('y', {half})")]
    mapping = of_values(lab, execute, values)
    assert lab.verify(mapping).equal
    execute(lab.new, f"UPDATE t SET c1 = CONCAT(LEFT(c1, {half - 1}), 'z')")
    assert [list(d.columns) for d in lab.verify(mapping).tables[0].differing] == [["c1"]]
