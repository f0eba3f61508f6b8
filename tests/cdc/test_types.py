"""Every MySQL column type arrives equal, by copy and by stream, or is refused by name (invariant 10)."""

from __future__ import annotations

from contextlib import closing

import pytest

from cdc.database import Database
from cdc.session import open_session
from cdc.state import StreamState
from strangler.dev.server import PrivateServer
from tests.cdc.conftest import MakeLab
from tests.cdc.lab import execute, one_table

pytestmark = pytest.mark.real

# column type -> values as SQL
TYPES = {
    "TINYINT": ["-128", "127", "NULL"],
    "TINYINT(1)": ["0", "1", "NULL"],
    "TINYINT UNSIGNED": ["255", "0"],
    "SMALLINT UNSIGNED ZEROFILL": ["65535", "7"],
    "MEDIUMINT": ["-8388608", "8388607"],
    "INT UNSIGNED": ["4294967295", "0"],
    "BIGINT": ["-9223372036854775808", "9223372036854775807"],
    "BIGINT UNSIGNED": ["18446744073709551615", "9223372036854775808", "0", "NULL"],
    "DECIMAL(65,30)": ["12345678901234567890123456789012345.123456789012345678901234567890", "-0.000001", "NULL"],
    "DECIMAL(10,2) UNSIGNED": ["99999999.99", "0"],
    "FLOAT": ["1.1", "-3.402823466e38", "16777217", "1.175494351e-38", "0"],
    "DOUBLE": ["1.1", "1.7976931348623157e308", "2.2250738585072014e-308", "123456789.123456789"],
    "BIT(1)": ["b'1'", "b'0'", "NULL"],
    "BIT(13)": ["b'1000000000001'", "b'0'"],
    "BIT(64)": ["b'1111111111111111111111111111111111111111111111111111111111111111'", "b'1'"],
    "DATE": ["'1000-01-01'", "'9999-12-31'", "'1969-12-31'", "'2024-02-29'", "NULL"],
    "TIME": ["'-838:59:59'", "'838:59:59'", "'00:00:00'", "NULL"],
    "TIME(6)": ["'-00:00:00.000001'", "'837:59:58.999999'", "'-12:34:56.654321'"],
    "DATETIME": ["'1000-01-01 00:00:00'", "'9999-12-31 23:59:59'", "'1969-12-31 23:59:59'", "NULL"],
    "DATETIME(3)": ["'1969-12-31 23:59:59.999'", "'2024-03-31 02:30:00.001'"],
    "DATETIME(6)": ["'1000-01-01 00:00:00.000001'", "'9999-12-31 23:59:59.999999'"],
    "TIMESTAMP NULL": ["'1970-01-01 00:00:01'", "'2038-01-19 03:14:07'", "NULL"],
    "TIMESTAMP(6) NULL": ["'2024-10-27 01:30:00.000001'", "'2001-01-01 00:00:00.100000'"],
    "YEAR": ["1901", "2155", "0000", "NULL"],
    "CHAR(5)": ["'ab'", "''", "'üñ😀'", "NULL"],
    "VARCHAR(60)": ["'tab\\t nl\\n back\\\\ nul\\0 quote\\' cr\\r'", "'\\\\N'", "'N'", "'  blanks  '", "NULL"],
    "VARCHAR(20) CHARACTER SET latin1": ["'ä€ß'", "''"],
    "VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin": ["'Ää'", "'ää'"],
    "TEXT": ["REPEAT('lorem ipsum ', 3000)", "''", "NULL"],
    "MEDIUMTEXT": ["REPEAT('x', 300000)", "'null'"],
    "BINARY(4)": ["x'00'", "x'41000000'", "x'FFFE'", "NULL"],
    "VARBINARY(10)": ["x'00FF5C0A09'", "x''", "NULL"],
    "BLOB": ["REPEAT(x'00FF5C0A', 5000)", "x''"],
    "LONGBLOB": ["REPEAT(x'01', 70000)", "NULL"],
    "ENUM('a','b''c','y,x')": ["'a'", "'b\\'c'", "'y,x'", "NULL"],
    "SET('x','y','z w')": ["''", "'x'", "'x,y,z w'", "NULL"],
    "JSON": [
        '\'{"a": [1, 2.5, null, true, "tab\\\\\\\\t"], "ü": {"b": "\\\\\\\\\\\\\\\\"}}\'',
        "'[]'",
        "'null'",
        "'18446744073709551615'",
        "NULL",
    ],
}


def rows_of(database: Database, table: str) -> list[tuple[object, ...]]:
    """Every value as the server's own bytes, so that nothing is made equal by a driver."""
    columns = [_exact(f"c{number}", kind) for number, kind in enumerate(TYPES)]
    with closing(open_session(database)) as session, session.cursor() as cursor:
        cursor.execute(f"SELECT id, {', '.join(columns)} FROM {table} ORDER BY id")
        return list(cursor.fetchall())


def _exact(name: str, kind: str) -> str:
    if kind.startswith(("FLOAT", "BIT")):
        return f"CONCAT({name} + 0e0)" if kind.startswith("FLOAT") else f"CONCAT({name} + 0)"
    if any(word in kind for word in ("CHAR", "TEXT", "BINARY", "BLOB", "ENUM", "SET")):
        return f"HEX({name})"
    return f"CONCAT({name})"


def inserts() -> list[str]:
    """As many rows as the longest list of values has; shorter ones repeat their first value."""
    most = max(len(values) for values in TYPES.values())
    names = ", ".join(f"c{number}" for number in range(len(TYPES)))
    return [
        f"INSERT INTO items ({names}) VALUES"
        f" ({', '.join(values[row] if row < len(values) else values[0] for values in TYPES.values())})"
        for row in range(most)
    ]


@pytest.mark.parametrize("pair", [("mysql_legacy", "mysql_new"), ("mariadb_server", "mariadb_server")])
def test_every_type_arrives_equal(pair: tuple[str, str], request: pytest.FixtureRequest, make_lab: MakeLab):
    source: PrivateServer = request.getfixturevalue(pair[0])
    target: PrivateServer = request.getfixturevalue(pair[1])
    columns = ", ".join(f"c{number} {kind}" for number, kind in enumerate(TYPES))
    table = f"(id BIGINT PRIMARY KEY AUTO_INCREMENT, {columns}) CHARACTER SET utf8mb4"
    mapping = one_table(key={"id": "id"}, columns={f"c{number}": f"c{number}" for number in range(len(TYPES))})
    lab = make_lab(
        source,
        target,
        mapping,
        source_sql=(f"CREATE TABLE items {table}",),
        target_sql=(f"CREATE TABLE products {table}",),
    )
    statements = inserts()
    execute(lab.source, *statements)
    with lab.streaming():
        copied = rows_of(lab.target, "products")
        assert copied == rows_of(lab.source, "items")
        assert len(copied) == len(statements)
        execute(lab.source, *statements)
        names = [f"c{number}" for number in range(len(TYPES))]
        nothing = ", ".join(f"{name} = NULL" for name in names)
        execute(lab.source, f"UPDATE items SET {nothing} WHERE id = 1")
        lab.settle()
        assert rows_of(lab.target, "products") == rows_of(lab.source, "items")


def test_types_that_can_not_be_carried_are_refused_by_name(mysql_legacy, mysql_new, make_lab: MakeLab):
    lab = make_lab(mysql_legacy, mysql_new, one_table(columns={"title": "CONCAT(ST_AsText(place), shape, sort)"}))
    execute(lab.source, "ALTER TABLE items ADD place POINT, ADD shape GEOMETRY, ADD sort ENUM('a','ü')")
    with lab.worker():
        lab.desk.want("running")
        error = lab.stopped()
        assert "items: column place is POINT, a type that streams can't carry" in error.message
        assert "items: column shape is GEOMETRY" in error.message
        assert "items: column sort is ENUM with the member 'ü'" in error.message


def test_a_column_that_nobody_reads_may_be_of_any_type(mysql_legacy, mysql_new, make_lab: MakeLab):
    lab = make_lab(mysql_legacy, mysql_new)
    execute(lab.source, "ALTER TABLE items ADD COLUMN place POINT")
    execute(lab.source, "INSERT INTO items (title, place) VALUES ('a', POINT(1, 2))")
    with lab.streaming():
        execute(lab.source, "INSERT INTO items (title, place) VALUES ('b', POINT(3, 4))")
        lab.settle()
        assert lab.new("SELECT title FROM products ORDER BY 1") == [("a",), ("b",)]
        assert lab.desk.status().state is StreamState.STREAMING
