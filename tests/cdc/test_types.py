"""Every column type arrives equal, by copy and by stream, or is refused by name: there is no third way (invariant 10).

The cases are those of ``make corpus``, without the largest values and without those that only repeat others.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from cdc.database import Database
from cdc.preflight import check_source
from cdc.session import open_session
from cdc.state import StreamState
from strangler.dev.server import PrivateServer
from tests.cdc.conftest import MakeLab
from tests.cdc.lab import engine_files, execute, one_table
from torture.corpus.case import PAIRS, Case, Pair
from torture.corpus.cases import ALL
from torture.corpus.run import Bench, try_all

pytestmark = pytest.mark.real

# digits of a second between the ends, megabytes, collations and character sets that are treated as another one is
_REPEAT = (
    *(f"{kind}({digits})" for kind in ("TIME", "TIMESTAMP") for digits in (1, 2, 4, 5)),
    *("MEDIUMT", "MEDIUMB", "LONG", "_520_", "swedish_ci, key", "german2", "cp1251_", "gbk", "turkish"),
    *("latin2", "latin5", "latin7", "cp1250", "cp1257", "cp85", "cp866", "koi8r", "dec8", "hp8", "geostd8", "keybcs2"),
    *("euc", "tis620", "hebrew", "greek", "gb2312", "big5", "cp932", "macce", "utf16le", "utf32", "ucs2", "armscii8"),
    *("SMALLINT", "MEDIUMINT", "VARCHAR(16000)", "TINYTEXT", "TINYBLOB", "DECIMAL(65,0)", "DECIMAL(20,4)"),
    *("FLOAT UNSIGNED", "BOOLEAN, key", "YEAR, key", "unicode_ci, key", "ascii", "default literal", "INET4, key"),
    *("LINESTRING", "POLYGON", "MULTIPOINT", "GEOMETRYCOLLECTION", "TIMESTAMP(3)", "DOUBLE(", "FLOAT(7", "ujis"),
)
CASES: tuple[Case, ...] = tuple(case for case in ALL if not any(word in case.name for word in _REPEAT))


@pytest.mark.parametrize("pair", PAIRS, ids=" to ".join)
def test_every_type_arrives_equal_or_is_refused(
    pair: Pair,
    request: pytest.FixtureRequest,
    fresh_schema: Callable[[PrivateServer], Database],
    debezium_jars: list[Path],
    tmp_path: Path,
):
    servers = {"mysql": "mysql_legacy", "mariadb": "mariadb_server"}
    source, target = (fresh_schema(request.getfixturevalue(servers[kind])) for kind in pair)
    bench = Bench(pair, source, target, lambda run: engine_files(debezium_jars, tmp_path / run))
    verdicts = try_all(bench, CASES, drawn=8)
    assert [verdict.case for verdict in verdicts] == list(CASES)  # no cell is missing
    assert [(v.case.name, v.copy, v.stream, v.verifier) for v in verdicts if not v.expected] == []


PEOPLE = """(name VARCHAR(20) CHARACTER SET utf8mb4, day DATE, born DATE NOT NULL,
    note VARCHAR(20) CHARACTER SET latin1, PRIMARY KEY (name, day))"""
ANYTHING = "SET SESSION sql_mode = ''"


def test_doubtful_values_are_read_again_by_any_key(mysql_legacy, mysql_new, make_lab: MakeLab):
    columns = {"born": "born", "note": "note"}
    lab = make_lab(
        mysql_legacy,
        mysql_new,
        one_table(key={"name": "name", "day": "day"}, columns=columns),
        source_sql=(f"CREATE TABLE items {PEOPLE}", ANYTHING, "INSERT INTO items VALUES ('ü', '2024-01-01', 0, 'a')"),
        target_sql=(f"CREATE TABLE products {PEOPLE}",),
    )
    with lab.streaming():
        many = ", ".join(f"('{n}', '2024-01-02', 0, CONVERT(x'C381' USING latin1))" for n in range(70))
        execute(lab.source, ANYTHING, f"INSERT INTO items VALUES {many}, ('it''s', '1969-12-31', '1970-01-01', 'b')")
        execute(lab.source, ANYTHING, "UPDATE items SET born = '2024-00-00', note = 'ä' WHERE name IN ('ü', '7')")
        execute(lab.source, ANYTHING, "UPDATE items SET name = 'moved' WHERE name = '8'")
        execute(lab.source, "DELETE FROM items WHERE name = '9'")
        lab.settle()
        told = "SELECT HEX(name), CONCAT(day), CONCAT(born), HEX(note) FROM {} ORDER BY 1, 2"
        assert lab.new(told.format("products")) == execute(lab.source, told.format("items"))
        assert len(lab.new("SELECT 1 FROM products")) == 71


def test_types_that_can_not_be_carried_are_refused_by_name(mysql_legacy, mysql_new, make_lab: MakeLab):
    lab = make_lab(mysql_legacy, mysql_new, one_table(columns={"title": "CONCAT(ST_AsText(place), shape, mac)"}))
    execute(lab.source, "ALTER TABLE items ADD place POINT, ADD shape GEOMETRY, ADD mac TEXT CHARACTER SET macroman")
    with lab.worker():
        lab.desk.want("running")
        error = lab.stopped()
        assert "items: column place is POINT, a type that streams can't carry" in error.message
        assert "items: column shape is GEOMETRY" in error.message
        assert "items: column mac is text in macroman, a character set that the engine can't read" in error.message


def test_columns_that_end_the_engine_are_named_though_nobody_reads_them(mariadb_server, fresh_schema):
    legacy, other = fresh_schema(mariadb_server), fresh_schema(mariadb_server)
    execute(legacy, "CREATE TABLE visits (id INT PRIMARY KEY, address INET6)")
    execute(other, "CREATE TABLE logs (id INT PRIMARY KEY, line TEXT COMPRESSED, address INET6)")
    with open_session(legacy) as session:
        address, line = (
            said
            for said in check_source(session, legacy.schema, ["visits"])
            if legacy.schema in said or other.schema in said
        )
    assert address.startswith(f"{legacy.schema}.visits: column address is INET6, which the engine can't read")
    assert line.startswith(f"{other.schema}.logs: column line is TEXT") and "COMPRESSED" in line


def test_a_column_that_nobody_reads_may_be_of_any_type(mysql_legacy, mysql_new, make_lab: MakeLab):
    lab = make_lab(mysql_legacy, mysql_new)
    execute(lab.source, "ALTER TABLE items ADD COLUMN place POINT")
    execute(lab.source, "INSERT INTO items (title, place) VALUES ('a', POINT(1, 2))")
    with lab.streaming():
        execute(lab.source, "INSERT INTO items (title, place) VALUES ('b', POINT(3, 4))")
        lab.settle()
        assert lab.new("SELECT title FROM products ORDER BY 1") == [("a",), ("b",)]
        assert lab.desk.status().state is StreamState.STREAMING
