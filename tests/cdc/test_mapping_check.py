"""Every way in which a mapping may not fit two schemas, asked of real servers."""

from __future__ import annotations

from contextlib import closing
from typing import Any

import pytest

from cdc.database import Database
from cdc.mapping import CapabilityMapping, TableMapping
from cdc.mapping_check import MappingProblem, check_capability
from cdc.session import open_session

pytestmark = pytest.mark.real

LEGACY = """
    CREATE TABLE items (id INT PRIMARY KEY, title VARCHAR(100) NOT NULL, price DECIMAL(10,2) NOT NULL,
    status SMALLINT NOT NULL, colour VARCHAR(20), made DATETIME(3), latin VARCHAR(10) CHARACTER SET latin1,
    weight DOUBLE, raw VARBINARY(20), doc JSON, kind ENUM('a','b','c'), stamp TIMESTAMP NULL, small FLOAT, place POINT,
    big BIGINT UNSIGNED, flag BIT(3)) CHARSET utf8mb4
"""
NEW = """
    CREATE TABLE catalog_items (legacy_id BIGINT PRIMARY KEY, title VARCHAR(100) NOT NULL, price_cents BIGINT,
    colour VARCHAR(20), slug VARCHAR(40) UNIQUE, shout VARCHAR(100) AS (UPPER(title)) STORED,
    own INT NOT NULL DEFAULT 0) CHARSET utf8mb4
"""


@pytest.fixture(scope="module", params=["mysql-mysql", "mysql-mariadb", "mariadb-mariadb"])
def sides(request: pytest.FixtureRequest) -> Any:
    """The two schemas, filled with both tables once."""
    servers = {"mysql": "mysql_legacy", "mariadb": "mariadb_server"}
    legacy, new = (request.getfixturevalue(servers[kind]) for kind in request.param.split("-"))
    databases = legacy.create_schema("check_legacy"), new.create_schema("check_new")
    run(databases[0], LEGACY, "CREATE TABLE keyless (a INT)")
    run(databases[1], NEW)
    yield databases
    legacy.drop_schema("check_legacy")
    new.drop_schema("check_new")


def run(database: Database, *statements: str) -> None:
    with closing(open_session(database)) as session, session.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def check(
    sides: tuple[Database, Database],
    columns: dict[str, str],
    key: dict[str, str] | None = None,
    **table: Any,
) -> list[MappingProblem]:
    given: dict[str, Any] = {"table": "catalog_items", "source": "items", "key": key or {"legacy_id": "id"}} | table
    filled = {"title": "title"} | columns if given["table"] == "catalog_items" else columns
    return check_capability(CapabilityMapping("c", (TableMapping(columns=filled, **given),)), *sides)


def only(problems: list[MappingProblem]) -> str:
    assert len(problems) == 1, problems
    return str(problems[0])


def test_a_mapping_that_fits_has_no_problems(sides: Any) -> None:
    columns = {
        "title": "TRIM(title)",
        "price_cents": "CAST(price * 100 AS SIGNED)",
        "colour": "`colour`",
        "slug": "LOWER(REPLACE(title, ' ', '-'))",
    }
    problems = check(sides, columns, where="status IN (1, 2) AND title <> 'NOW()'")
    assert [p for p in problems if p.severity == "error"] == []


def test_decimals_for_a_bigint_are_told_how_to_become_one(sides: Any) -> None:
    assert only(check(sides, {"price_cents": "price * 100"})) in (
        "catalog_items.price_cents: 'price * 100' gives DECIMAL(13,2), the column is BIGINT: "
        "say CAST(price * 100 AS SIGNED)",
        "catalog_items.price_cents: 'price * 100' gives DECIMAL(12,2), the column is BIGINT: "
        "say CAST(price * 100 AS SIGNED)",
    )


def test_unknown_names_come_with_the_nearest_spelling(sides: Any) -> None:
    assert "table items of the legacy side has no column 'prise': did you mean 'price'?" in only(
        check(sides, {"price_cents": "CAST(prise AS SIGNED)"})
    )
    assert "table catalog_items of the new side has no column 'color': did you mean 'colour'?" in only(
        check(sides, {"color": "colour"})
    )
    assert "has no table 'item': did you mean 'items'?" in only(check(sides, {}, source="item"))
    assert "has no table 'catalog_item': did you mean 'catalog_items'?" in only(check(sides, {}, table="catalog_item"))
    problem = check(sides, {}, where="deleted_at IS NULL")[0]
    assert (problem.column, "has no column 'deleted_at'" in problem.message) == ("where", True)


def test_sql_that_no_server_understands(sides: Any) -> None:
    assert "can't parse it near" in only(check(sides, {"colour": "CASE colour WHEN"}))
    assert "TRIMM" in only(check(sides, {"colour": "TRIMM(colour)"}))


def test_what_is_never_the_same_twice_is_refused(sides: Any) -> None:
    for expression in ("NOW()", "CURRENT_TIMESTAMP", "CONCAT(title, RAND())", "UUID()", "unix_timestamp( )"):
        assert "another value each time" in only(check(sides, {"colour": expression})), expression
    assert check(sides, {"colour": "IF(title = 'now()', 'rand()', colour)"}) == []


def test_keys(sides: Any) -> None:
    assert "key (own) covers no unique key of catalog_items (it has: PRIMARY (legacy_id)" in only(
        check(sides, {"legacy_id": "id"}, key={"own": "id"})
    )
    # Unique, but it may be NULL any number of times.
    assert "covers no unique key" in str(check(sides, {"legacy_id": "id"}, key={"slug": "title"})[0])
    assert "has no primary key" in str(check(sides, {}, key={"legacy_id": "a"}, source="keyless")[0])


def test_a_second_unique_key_is_pointed_out(sides: Any) -> None:
    (problem,) = check(sides, {"slug": "CAST(id AS CHAR(40))"})
    assert (problem.severity, "second unique key" in problem.message) == ("warning", True)


def test_columns_that_nobody_or_only_the_server_fills(sides: Any) -> None:
    assert "generated by the server" in only(check(sides, {"shout": "title"}))
    (problem,) = check_capability(
        CapabilityMapping("c", (TableMapping("catalog_items", "items", {"legacy_id": "id"}, {"colour": "colour"}),)),
        *sides,
    )
    assert str(problem) == (
        "catalog_items.title: the column is NOT NULL without a default, and the mapping doesn't fill it: "
        "map it, or give it a default"
    )


# New column's type, expression, part of the problem.
MISFITS = [
    ("VARCHAR(50)", "title", "narrower: make the column VARCHAR(100), or say LEFT(title"),
    ("VARCHAR(10) CHARACTER SET latin1", "colour", "narrower"),
    ("VARCHAR(20) CHARACTER SET latin1", "colour", "lacks characters of it: make the column CHARACTER SET utf8mb4"),
    ("INT", "big", "narrower: make the column BIGINT UNSIGNED"),
    ("BIGINT", "big", "narrower"),
    ("TINYINT", "status", "or say status <> 0 for a yes or no"),
    ("DECIMAL(10,1)", "price", "cuts decimals: say ROUND(price, 1)"),
    ("DECIMAL(8,2)", "price", "narrower: make the column DECIMAL(10,2)"),
    ("FLOAT", "weight", "cuts digits: make the column DOUBLE"),
    ("DOUBLE", "big", "holds 15 digits exactly"),
    ("INT", "weight", "say CAST(weight AS SIGNED)"),
    ("INT", "title", "say CAST(title AS SIGNED)"),
    ("DATETIME", "made", "rounds fractions of seconds: make the column DATETIME(3)"),
    ("DATE", "made", "cuts the time: say DATE(made)"),
    ("BIGINT", "made", "say UNIX_TIMESTAMP(made)"),
    ("DATETIME", "id", "say FROM_UNIXTIME(id)"),
    ("DATE", "title", "say CAST(title AS DATE)"),
    ("CHAR(100)", "title", "CHAR loses blanks at the end: say RTRIM(title)"),
    ("VARCHAR(40)", "raw", "say CONVERT(raw USING utf8mb4), or HEX(raw)"),
    ("VARBINARY(100)", "title", "or UNHEX(title)"),
    ("VARBINARY(10)", "raw", "narrower"),
    ("VARCHAR(40)", "weight", "servers write such numbers differently"),
    ("ENUM('a','b')", "kind", "which lacks 'c'"),
    ("POINT", "place", "neither copied nor compared"),
    ("TEXT", "place", "neither copied nor compared"),
    ("INT NOT NULL", "NULL", "always NULL"),
    ("TIME", "made", "convert it in the expression"),
]

FITS = [
    ("TEXT", "latin"),
    ("VARCHAR(100) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin", "title"),
    ("DATETIME(6)", "made"),
    ("DATETIME", "stamp"),
    ("DOUBLE", "small"),
    ("DOUBLE", "id"),
    ("VARCHAR(12)", "id"),
    ("VARCHAR(5)", "kind"),
    ("ENUM('a','b','c','d')", "kind"),
    ("JSON", "doc"),
    ("BIGINT UNSIGNED", "big"),
    ("BIT(3)", "flag"),
    ("DECIMAL(20,4)", "price"),
    ("DECIMAL(20,4)", "id"),
    ("CHAR(36) CHARACTER SET ascii", "INSERT(MD5(id), 9, 0, '-')"),
    ("CHAR(3)", "'USD'"),
    ("BINARY(16)", "UNHEX(MD5(id))"),
    ("DATE", "DATE(made)"),
    ("INT", "NULL"),
    ("BOOLEAN", "status <> 0"),
]


@pytest.fixture(scope="module")
def wide(sides: tuple[Database, Database]) -> tuple[Database, Database]:
    """A table on the new side with a column for each case."""
    cases = [*((kind, sql) for kind, sql, _ in MISFITS), *FITS]
    columns = ", ".join(f"c{n} {kind}{' DEFAULT 0' * ('NOT NULL' in kind)}" for n, (kind, _) in enumerate(cases))
    run(
        sides[1],
        f"CREATE TABLE wide (legacy_id BIGINT PRIMARY KEY, {columns})",
    )
    return sides


def test_conversions_that_would_bend_values_are_refused_with_a_way_out(wide: Any) -> None:
    columns = {f"c{n}": sql for n, (_, sql, _) in enumerate(MISFITS)}
    found: dict[str | None, str] = {}
    for problem in check(wide, columns, table="wide"):
        assert problem.severity == "error", problem
        found[problem.column] = f"{found.get(problem.column, '')} {problem}"
    unlike = [(case, found.get(f"c{n}")) for n, case in enumerate(MISFITS) if case[2] not in found.get(f"c{n}", "")]
    assert unlike == []


def test_conversions_that_keep_values_are_accepted(wide: Any) -> None:
    columns = {f"c{n}": sql for n, (_, sql) in enumerate(FITS, start=len(MISFITS))}
    assert check(wide, columns, table="wide") == []


def test_problems_come_in_the_mappings_order(sides: Any) -> None:
    problems = check(sides, {"price_cents": "price", "colour": "colr", "slug": "titel"})
    assert [p.column for p in problems if p.severity == "error"] == ["price_cents", "colour", "slug"]


def test_it_writes_nothing_and_needs_only_select(sides: Any, request: pytest.FixtureRequest) -> None:
    legacy, new = sides
    with closing(open_session(legacy)) as session, session.cursor() as cursor:
        cursor.execute("DROP USER IF EXISTS reader@127.0.0.1")
        cursor.execute("CREATE USER reader@127.0.0.1 IDENTIFIED BY 'Read-only-1'")
        cursor.execute(f"GRANT SELECT ON {legacy.schema}.* TO reader@127.0.0.1")
    if (legacy.host, legacy.port) != (new.host, new.port):
        with closing(open_session(new)) as session, session.cursor() as cursor:
            cursor.execute("DROP USER IF EXISTS reader@127.0.0.1")
            cursor.execute("CREATE USER reader@127.0.0.1 IDENTIFIED BY 'Read-only-1'")
    with closing(open_session(new)) as session, session.cursor() as cursor:
        cursor.execute(f"GRANT SELECT ON {new.schema}.* TO reader@127.0.0.1")
    readers = [Database(d.host, d.port, "reader", "Read-only-1", d.schema) for d in sides]
    assert check((readers[0], readers[1]), {"colour": "colour"}) == []
