"""The mapping of strangler.toml, evaluated by real servers over a small shop with odd rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, create_engine

from cdc.database import Database
from cdc.mapping_check import check_way_back
from cdc.ownership.proof import prove
from cdc.ownership.side import Sides
from extracted.catalog.identity import identify
from extracted.catalog.migrate import upgrade
from extracted.catalog.schema import metadata
from legacy_monolith.migrate import upgrade as upgrade_legacy
from strangler.config import load
from strangler.dev.server import PrivateServer

pytestmark = pytest.mark.real
FOREIGN_TO_CATALOG = {
    # purchasing's, the pricing job's and consignment's columns of legacy's wide table, and the book-keeping of its rows
    "items": {
        *("status", "reserved_by", "reserved_until", "sold_at", "deleted_at"),
        *("seller_id", "bag_id", "last_markdown_at", "created_at", "updated_at"),
    },
    "brands": set(),
    "categories": set(),
}
SERVICE_OWN = {"items": {"search_boost", "view_count"}, "brands": {"featured"}, "categories": set()}


@dataclass(frozen=True)
class Pair:
    """A legacy schema and a catalog schema on one server."""

    engine: Engine
    legacy: str
    new: str


@pytest.fixture(scope="module", params=["mysql_legacy", "mariadb_server"])
def pair(
    request: pytest.FixtureRequest, odd_rows: tuple[str, ...], fill_new_side: Callable[[Engine, str, str], None]
) -> Iterator[Pair]:
    server: PrivateServer = request.getfixturevalue(request.param)
    legacy, new = server.create_schema("mapping_legacy").schema, server.create_schema("mapping_new").schema
    engine = create_engine(server.url(legacy), connect_args={"charset": "utf8mb4"})
    upgrade_legacy(engine)
    catalog = create_engine(server.url(new))
    upgrade(catalog)
    catalog.dispose()
    with engine.begin() as connection:
        for rows in odd_rows:
            connection.exec_driver_sql(rows)
    fill_new_side(engine, legacy, new)
    yield Pair(engine, legacy, new)
    engine.dispose()
    server.drop_schema(legacy)
    server.drop_schema(new)


def rows(connection: Connection, sql: str) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in connection.exec_driver_sql(sql)]


def test_every_column_is_mapped_or_the_services_own(mapping: dict[str, dict[str, Any]]) -> None:
    for name, table in metadata.tables.items():
        mapped = {*mapping[name]["key"], *mapping[name]["columns"]}
        assert mapped | SERVICE_OWN[name] == {column.name for column in table.columns}
        assert not mapped & SERVICE_OWN[name]


def test_uuids_are_what_anyone_can_compute(pair: Pair) -> None:
    with pair.engine.connect() as connection:
        for table, kind in (("brands", "brand"), ("categories", "category"), ("items", "item")):
            for key, uuid in rows(connection, f"SELECT legacy_id, uuid FROM {pair.new}.{table}"):
                assert uuid == str(identify(kind, key))


def test_deleted_items_do_not_exist_and_deleted_brands_are_retired(pair: Pair) -> None:
    with pair.engine.connect() as connection:
        assert rows(connection, f"SELECT COUNT(*) FROM {pair.new}.items") == [(4,)]
        assert rows(connection, f"SELECT CAST(retired_at AS CHAR) FROM {pair.new}.brands WHERE legacy_id = 900002") == [
            ("2021-01-02 07:59:59.000000",)
        ]


def test_money_words_times_and_lists(pair: Pair) -> None:
    with pair.engine.connect() as connection:
        found = rows(
            connection,
            f"SELECT price_cents, original_price_cents, currency, condition_word, availability, CAST(tags AS CHAR), "
            f"CAST(created_at AS CHAR) FROM {pair.new}.items ORDER BY legacy_id",
        )
    assert found[:3] == [
        (0, None, "USD", "new_with_tags", "listed", "[]", "2020-03-01 07:30:00.000000"),
        (9999999999, 1, "USD", "worn", "listed", '["a", " b ", "", "c"]', "2021-01-01 00:00:00.000000"),
        (5, 5, "USD", "like_new", "listed", '["q\\"uo\\\\te", "tab\\tx", "</script>"]', "2021-01-01 00:00:00.000000"),
    ]
    assert found[3][4] == "processing"


def test_the_way_back_gives_the_original_rows(pair: Pair, mapping: dict[str, dict[str, Any]]) -> None:
    with pair.engine.connect() as connection:
        for table, mapped in mapping.items():
            back = mapped["back"]
            columns = rows(
                connection,
                "SELECT column_name FROM information_schema.columns "
                f"WHERE table_schema = '{pair.legacy}' AND table_name = '{mapped['from']}'",
            )
            assert {name for (name,) in columns} - FOREIGN_TO_CATALOG[table] == set(back)
            where = f" WHERE {mapped['where']}" if "where" in mapped else ""
            was = rows(connection, f"SELECT {', '.join(back)} FROM {pair.legacy}.{mapped['from']}{where} ORDER BY id")
            expressions = ", ".join(back.values()).replace("%", "%%")
            now = rows(connection, f"SELECT {expressions} FROM {pair.new}.{table} ORDER BY legacy_id")
            assert now == was


def test_the_toolkit_proves_the_way_back(pair: Pair) -> None:
    mapping = load(Path(__file__).parents[3] / "strangler.toml").capabilities["catalog"].mapping("catalog")
    here = Database.from_url(pair.engine.url.render_as_string(hide_password=False))
    sides = Sides(here, replace(here, schema=pair.new))
    assert [p for p in check_way_back(mapping, sides.legacy, sides.new) if p.severity == "error"] == []
    found = {one.table: one for one in prove(mapping, sides)}
    assert {name: (one.rows, one.proven) for name, one in found.items()} == {
        "brands": (3, True),
        "categories": (4, True),
        "items": (4, True),
    }


def test_a_renamed_brand_goes_back_with_its_new_name(pair: Pair, mapping: dict[str, dict[str, Any]]) -> None:
    back = mapping["brands"]["back"]["name"]
    with pair.engine.connect() as connection:
        connection.exec_driver_sql(f"UPDATE {pair.new}.brands SET name = 'ZOÉ & CO' WHERE legacy_id = 900001")
        assert rows(connection, f"SELECT {back} FROM {pair.new}.brands WHERE legacy_id = 900001") == [("ZOÉ & CO",)]
        connection.rollback()


def test_the_services_own_columns_survive_an_upsert(
    pair: Pair, fill_new_side: Callable[[Engine, str, str], None]
) -> None:
    with pair.engine.begin() as connection:
        connection.exec_driver_sql(f"UPDATE {pair.new}.items SET search_boost = 7, view_count = 8, title = 'stale'")
    fill_new_side(pair.engine, pair.legacy, pair.new)
    with pair.engine.connect() as connection:
        found = rows(connection, f"SELECT DISTINCT search_boost, view_count FROM {pair.new}.items")
        stale = rows(connection, f"SELECT COUNT(*) FROM {pair.new}.items WHERE title = 'stale'")
    assert found == [(7, 8)]
    assert stale == [(0,)]


def test_an_unknown_code_is_an_error_and_not_a_guess(
    pair: Pair, fill_new_side: Callable[[Engine, str, str], None]
) -> None:
    with pair.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE items SET condition_code = 9 WHERE id = 900001")
    try:
        with pytest.raises(Exception, match="condition_word"):
            fill_new_side(pair.engine, pair.legacy, pair.new)
    finally:
        with pair.engine.begin() as connection:
            connection.exec_driver_sql("UPDATE items SET condition_code = 1 WHERE id = 900001")
