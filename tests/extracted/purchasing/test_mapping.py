"""The mapping of strangler.toml, evaluated by real servers over a small shop and odd rows: forth, and back again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, create_engine

from extracted.purchasing.checkout.totals import Totals
from extracted.purchasing.database import Database
from extracted.purchasing.identity import identify
from extracted.purchasing.migrate import upgrade
from extracted.purchasing.tables import Base, Order
from legacy_monolith.migrate import upgrade as upgrade_legacy
from legacy_monolith.seed.plan import Plan
from legacy_monolith.seed.run import seed
from strangler.dev.server import PrivateServer

pytestmark = pytest.mark.real
Tables = dict[str, dict[str, Any]]

#: Columns and tables that only the service has.
OWN_TABLES = {"bag_contents"}
#: The outbox has keys of its own, and no columns in common with what is mapped forth.
OUTBOX = {"outgoing_mails", "outgoing_notifications"}
#: What a shop collects over the years. Foreign keys are off: streams bring tables one by one, too.
ODD_ROWS = (
    "INSERT INTO users (id, email, password_hash, name, phone, role, store_credit, default_address_id, created_at, "
    "updated_at, deleted_at) VALUES (900001, 'Zoé@x', 'h', 'Zoë 😀', NULL, 2, 99999999.99, 7, '2020-02-29 23:30:00', "
    "'2020-02-29 23:30:00', '2020-12-31 16:00:00')",
    "INSERT INTO carts VALUES (900001, 900001, 'SAVE5, SHIPFREE,,X-9', '2020-12-31 16:00:00', '2021-01-01 00:00:00'), "
    "(900002, 900002, '', '2020-12-31 16:00:00', '2021-01-01 00:00:00')",
    "INSERT INTO cart_items VALUES (900001, 900001, 900001, 0.01, '2020-12-31 16:00:00')",
    "INSERT INTO orders VALUES "
    "(900001, 900001, NULL, 'a\\n\\nb\\n', 6, 99999999.99, 0.00, 0.00, 99999999.99, 0.00, 'A,B', "
    "'2020-02-29 23:30:00', NULL, NULL, NULL, NULL, '2020-02-29 23:30:00', '2020-03-01 00:00:00'), "
    "(900002, 900001, 5, '漢字\\n\\\"', 4, 20.05, 10.03, 5.95, 15.97, 15.97, '', '2020-02-29 23:30:00', "
    "'2020-02-29 23:30:01', '2020-02-29 23:30:02', '2020-02-29 23:30:03', '2020-02-29 23:30:04', "
    "'2020-02-29 23:30:00', '2020-03-01 00:00:00'), "
    "(900003, 900001, 5, '', 0, 1.00, 0.00, 0.00, 7.77, 0.00, '', '2020-02-29 23:30:00', "
    "NULL, NULL, NULL, NULL, '2020-02-29 23:30:00', '2020-03-01 00:00:00')",
    "INSERT INTO order_items VALUES (900001, 900002, 1, 'T 😀', '  ZOE ', 20.05, 10.03, 2, "
    "'2020-02-29 23:30:00', '2020-02-29 23:30:00')",
    "INSERT INTO order_discounts VALUES (900001, 900002, 1, 'SAVE5', 3, 5.95), (900002, 900002, 2, 'X', 1, 0.00)",
    "INSERT INTO payments VALUES (900001, 900002, 0.01, 3, 'tok', 'order-900002', NULL, 'no \\\"funds\\\"', "
    "'2020-02-29 23:30:00', '2020-02-29 23:30:00')",
    "INSERT INTO idempotency_keys VALUES (900001, 900001, 'k 😀', REPEAT('a', 64), NULL, NULL, NULL, "
    "'2020-02-29 23:30:00', '2020-02-29 23:30:00'), (900002, 900001, 'k2', REPEAT('b', 64), 900002, 402, "
    "'{\\\"error\\\":{\\\"message\\\":\\\"é\\\"}}', '2020-02-29 23:30:00', '2020-02-29 23:30:00')",
    "INSERT INTO returns VALUES (900001, 900002, 900001, 3, 1, 'r', '2020-02-29 23:30:00', NULL, "
    "'2020-03-01 00:00:00', '2020-02-29 23:30:00', '2020-02-29 23:30:00')",
    "INSERT INTO return_items VALUES (900001, 900001, 900001, 1, 10.02, NULL, '2020-02-29 23:30:00'), "
    "(900002, 900001, 900001, 1, 10.02, 0, '2020-02-29 23:30:00'), "
    "(900003, 900001, 900001, 1, 10.02, 1, '2020-02-29 23:30:00')",
    "INSERT INTO refunds VALUES (900001, 900001, 900002, NULL, 0.00, 10.02, 1, 'return-900001', 're_1', "
    "'2020-02-29 23:30:00', '2020-02-29 23:30:00')",
    "INSERT INTO promotion_redemptions VALUES (900001, 1, 900001, 900002, 5.95, '2020-02-29 23:30:00', NULL), "
    "(900002, 1, 900001, 900002, 0.00, '2020-02-29 23:30:00', '2020-03-01 00:00:00')",
    "INSERT INTO store_credit_entries VALUES (900001, 900001, -15.97, 0.00, 1, 900002, NULL, NULL, "
    "'2020-02-29 23:30:00'), (900002, 900001, 99999999.99, 99999999.99, 4, NULL, 1, 'thé', '2020-02-29 23:30:00')",
    "INSERT INTO bags VALUES (900001, 900001, 'L', 3, 0, NULL, NULL, NULL, NULL, '2020-02-29 23:30:00', "
    "'2020-02-29 23:30:00', '2020-12-31 16:00:00'), (900002, 900001, 'M', 2, 40, 0.05, 'n', '2020-02-29 23:30:00', "
    "'2020-02-29 23:30:00', '2020-02-29 23:30:00', '2020-02-29 23:30:00', NULL)",
    "INSERT INTO items (id, title, price, category_id, condition_code, tags, photos, status, reserved_by, "
    "reserved_until, sold_at, markdown_count, created_at, updated_at, deleted_at) VALUES (900001, '漢字 😀', 0.05, 1, "
    "4, 'a, b ,,c', '', 4, 900001, '2020-02-29 23:30:00', '2020-12-31 16:00:00', 0, '2020-02-29 23:30:00', "
    "'2020-02-29 23:30:00', '2020-12-31 23:59:59')",
    "UPDATE promotions SET used_count = 7, value = 99999999.99 WHERE id = 2",
    "INSERT INTO sessions VALUES (900001, 900001, REPEAT('a', 64), NULL, '2020-02-29 23:30:00', '2020-02-29 23:30:00', "
    "'2020-12-31 16:00:00')",
    "INSERT INTO notification_preferences VALUES (900001, 900001, 'orders', 0, 1, '2020-02-29 23:30:00')",
)


@dataclass(frozen=True)
class Pair:
    """A legacy schema and a purchasing schema on one server."""

    engine: Engine
    legacy: str
    new: str
    new_url: str


@pytest.fixture(scope="module", params=["mysql_legacy", "mariadb_server"])
def pair(
    request: pytest.FixtureRequest, purchasing_mapping: Tables, as_sql: dict[str, Callable[..., list[str]]]
) -> Iterator[Pair]:
    server: PrivateServer = request.getfixturevalue(request.param)
    legacy, new = (
        server.create_schema("purchasing_map_legacy").schema,
        server.create_schema("purchasing_map_new").schema,
    )
    engine = create_engine(server.url(legacy), connect_args={"charset": "utf8mb4"})
    upgrade_legacy(engine)
    seed(server.url(legacy), Plan(60, 1))
    service_engine = create_engine(server.url(new))
    upgrade(service_engine)
    service_engine.dispose()
    with engine.begin() as connection:
        connection.exec_driver_sql("SET foreign_key_checks = 0")
        for statement in ODD_ROWS:
            connection.exec_driver_sql(statement)
        for name, mapped in purchasing_mapping.items():
            for statement in as_sql["forth"](name, mapped, legacy, new):
                connection.exec_driver_sql(statement)
    yield Pair(engine, legacy, new, server.url(new))
    engine.dispose()
    server.drop_schema(legacy)
    server.drop_schema(new)


def rows(connection: Connection, sql: str) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in connection.exec_driver_sql(sql)]


def test_every_table_and_column_is_mapped_or_the_services_own(purchasing_mapping: Tables) -> None:
    assert set(Base.metadata.tables) == set(purchasing_mapping) | OWN_TABLES
    for name, mapped in purchasing_mapping.items():
        columns = {column.name for column in Base.metadata.tables[name].columns}
        if name in OUTBOX:
            assert set(mapped["key"]) <= columns
        else:
            assert {*mapped["key"], *mapped.get("columns", {})} == columns


def test_no_legacy_column_is_owned_twice_and_all_of_whole_tables_go_back(
    pair: Pair, purchasing_mapping: Tables
) -> None:
    with pair.engine.connect() as connection:
        for mapped in purchasing_mapping.values():
            if mapped.get("reference") or mapped.get("append"):
                continue
            found = rows(
                connection,
                "SELECT column_name FROM information_schema.columns "
                f"WHERE table_schema = '{pair.legacy}' AND table_name = '{mapped['from']}'",
            )
            owned = {"id", *mapped["owns"]} if "owns" in mapped else {column for (column,) in found}
            assert set(mapped["back"]) == owned


def test_the_way_back_gives_the_original_rows(pair: Pair, purchasing_mapping: Tables) -> None:
    compared = 0
    with pair.engine.connect() as connection:
        for name, mapped in purchasing_mapping.items():
            if mapped.get("reference") or mapped.get("append"):
                continue
            way = mapped["back"]
            was = rows(connection, f"SELECT {', '.join(way)} FROM {pair.legacy}.{mapped['from']} ORDER BY id")
            key = next(new for new, old in mapped["key"].items() if old == "id")
            now = rows(connection, f"SELECT {', '.join(way.values())} FROM {pair.new}.{name} ORDER BY {key}")
            assert now == was, name
            assert was, f"no row of {name} was tried"
            compared += len(was)
    assert compared > 150


def test_what_goes_back_comes_forth_again_as_it_was(
    pair: Pair, purchasing_mapping: Tables, as_sql: dict[str, Callable[..., list[str]]]
) -> None:
    with pair.engine.begin() as connection:
        connection.exec_driver_sql("SET foreign_key_checks = 0")
        for name, mapped in purchasing_mapping.items():
            columns, order = ", ".join({**mapped["key"], **mapped.get("columns", {})}), ", ".join(mapped["key"])
            before = rows(connection, f"SELECT {columns} FROM {pair.new}.{name} ORDER BY {order}")
            for way in ("back", "forth"):
                for statement in as_sql[way](name, mapped, pair.legacy, pair.new):
                    connection.exec_driver_sql(statement)
            assert rows(connection, f"SELECT {columns} FROM {pair.new}.{name} ORDER BY {order}") == before


def test_uuids_are_what_anyone_can_compute(pair: Pair) -> None:
    with pair.engine.connect() as connection:
        for table, kind in (("orders", "order"), ("returns", "return"), ("bags", "bag")):
            for key, uuid in rows(connection, f"SELECT id, uuid FROM {pair.new}.{table}"):
                assert uuid == identify(kind, key)


def test_totals_are_lines_and_written_alike_by_the_mapping_and_the_service(pair: Pair) -> None:
    database = Database(pair.new_url, 1)
    lines = Totals(2005, 1003, 595, 1597).lines()
    with pair.engine.connect() as connection:
        ((mapped,),) = rows(connection, f"SELECT CAST(totals AS CHAR) FROM {pair.new}.orders WHERE id = 900002")
    try:
        assert database.run(lambda session: session.get_one(Order, 900002).totals) == lines

        def write(session: Any) -> None:
            session.get_one(Order, 900003).totals = lines

        database.run(write)
        with pair.engine.connect() as connection:
            query = f"SELECT CAST(totals AS CHAR) FROM {pair.new}.orders WHERE id = 900003"
            assert rows(connection, query) == [(mapped,)]
    finally:
        database.close()


def test_words_money_and_times(pair: Pair) -> None:
    with pair.engine.connect() as connection:
        query = f"SELECT status, total_cents, CAST(codes AS CHAR), CAST(placed_at AS CHAR) FROM {pair.new}.orders"
        assert rows(connection, f"{query} WHERE id = 900001") == [
            ("returned", 9_999_999_999, '["A", "B"]', "2020-03-01 07:30:00")
        ]
        query = f"SELECT availability, reserved_by, CAST(removed_at AS CHAR) FROM {pair.new}.stock"
        assert rows(connection, f"{query} WHERE item_id = 900001") == [("returned", 900001, "2021-01-01 07:59:59")]
        query = f"SELECT basis_points, amount_cents FROM {pair.new}.promotions WHERE id IN (1, 2, 3) ORDER BY id"
        assert rows(connection, query) == [(1000, None), (None, 9_999_999_999), (None, None)]
        assert rows(connection, f"SELECT role FROM {pair.new}.users WHERE id IN (1, 900001)") == [
            ("staff",),
            ("customer",),
        ]
