"""Both sides of the catalog on one MySQL: the monolith's schema with a small shop in it, the service's filled by the
mapping of strangler.toml, and both applications called through WSGI."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from flask import Flask
from sqlalchemy import Engine, create_engine

from extracted.catalog import migrate
from extracted.catalog.app import create_app
from extracted.catalog.settings import Settings
from legacy_monolith.app import create_app as create_monolith
from legacy_monolith.migrate import upgrade as upgrade_legacy
from legacy_monolith.seed.plan import Plan
from legacy_monolith.seed.run import seed
from legacy_monolith.settings import Settings as LegacySettings
from legacy_monolith.shop import Shop
from strangler.dev.ports import free_port
from strangler.dev.server import PrivateServer

ROOT = Path(__file__).parents[3]
ITEMS = 1_000
#: What a shop collects over the years, on top of the seeded rows (which have ids below 900,000).
ODD_ROWS = (
    "INSERT INTO brands (id, name, slug, is_designer, created_at, updated_at, deleted_at) VALUES "
    "(900001, '  Zoé & Co ', 'odd-zoe', 1, '2020-01-01 00:00:00', '2020-06-01 20:00:00', NULL), "
    "(900002, 'Gone', 'gone', 0, '2020-01-01 00:00:00', '2020-06-01 20:00:00', '2021-01-01 23:59:59'), "
    "(900003, '漢字 😀', 'kanji', 0, '2020-01-01 00:00:00', '2020-06-01 20:00:00', NULL)",
    "INSERT INTO categories (id, parent_id, name, slug, position, created_at, updated_at, deleted_at) VALUES "
    "(900001, NULL, 'Odd', 'odd', 99, '2020-01-01 00:00:00', '2020-01-01 00:00:00', NULL), "
    "(900002, 900001, 'Gone', 'odd-gone', 1, '2020-01-01 00:00:00', '2020-01-01 00:00:00', '2021-01-01 00:00:00'), "
    "(900003, 900002, 'Below gone', 'odd-below', 1, '2020-01-01 00:00:00', '2020-01-01 00:00:00', NULL), "
    "(900004, 900001, 'Same place', 'odd-same', 1, '2020-01-01 00:00:00', '2020-01-01 00:00:00', NULL)",
    "INSERT INTO items (id, title, description, price, original_price, brand_id, brand_name, category_id, size, "
    "colour, condition_code, tags, photos, weight_grams, status, markdown_count, created_at, updated_at, deleted_at) "
    "VALUES "
    "(900001, 'Robe d''été \"Zoé\"', 'naïve\\n\\ttext', 0.00, NULL, 900001, ' ZOE ', 900001, NULL, NULL, "
    "1, '', NULL, NULL, 1, 0, '2020-02-29 23:30:00', '2020-03-01 00:00:00', NULL), "
    "(900002, '漢字 dress 😀', NULL, 99999999.99, 0.01, 900002, NULL, 900003, 'ß', 'NAVY', "
    "4, 'a, b ,,c', '', 0, 1, 7, '2020-12-31 16:00:00', '2020-12-31 16:00:00', NULL), "
    "(900003, 'x_y dress', '', 0.05, 0.05, NULL, 'No Brand', 900004, ' M ', 'navy', "
    "2, 'q\"uo\\\\te,tab\\tx,</script>', ',/p/1.jpg, /p/2.jpg,', 1, 1, 0, "
    "'2020-12-31 16:00:00', '2020-12-31 16:00:00', NULL), "
    "(900004, 'still in the bag', NULL, 5.00, NULL, NULL, NULL, 900001, NULL, NULL, "
    "3, '', NULL, NULL, 0, 0, '2021-01-01 00:00:00', '2021-01-01 00:00:00', NULL), "
    "(900005, 'deleted', NULL, 5.00, NULL, NULL, NULL, 900001, NULL, NULL, "
    "3, '', NULL, NULL, 1, 0, '2021-01-01 00:00:00', '2021-01-01 00:00:00', '2021-01-02 00:00:00')",
)


@dataclass(frozen=True)
class Sides:
    """The two schemas (on one server) and a client of each application."""

    engine: Engine
    legacy_schema: str
    new_schema: str
    new_url: str
    legacy: httpx.Client
    new: httpx.Client

    @property
    def clients(self) -> dict[str, httpx.Client]:
        return {"legacy": self.legacy, "new": self.new}

    def fill(self) -> None:
        """Make the service's rows from the monolith's, as the mapping says."""
        fill(self.engine, self.legacy_schema, self.new_schema)


def catalog_mapping() -> dict[str, dict[str, Any]]:
    tables: dict[str, dict[str, Any]] = tomllib.loads((ROOT / "strangler.toml").read_text())["capability"]["catalog"][
        "tables"
    ]
    return tables


def upserts(legacy: str, new: str) -> list[str]:
    """One statement a table: every row that the mapping makes, inserted or brought up to date."""
    statements = []
    for table, mapping in catalog_mapping().items():
        expressions = {**mapping["key"], **mapping["columns"]}
        columns = ", ".join(f"`{name}`" for name in expressions)
        changes = ", ".join(f"`{name}` = VALUES(`{name}`)" for name in mapping["columns"])
        where = f" WHERE {mapping['where']}" if "where" in mapping else ""
        statements.append(
            f"INSERT INTO {new}.{table} ({columns}) SELECT {', '.join(expressions.values())} "
            f"FROM {legacy}.{mapping['from']}{where} ON DUPLICATE KEY UPDATE {changes}"
        )
    return statements


def fill(engine: Engine, legacy: str, new: str) -> None:
    with engine.begin() as connection:
        for statement in upserts(legacy, new):
            connection.exec_driver_sql(statement.replace("%", "%%"))


@pytest.fixture(scope="session")
def mapping() -> dict[str, dict[str, Any]]:
    return catalog_mapping()


@pytest.fixture(scope="session")
def fill_new_side() -> Callable[[Engine, str, str], None]:
    """``fill(engine, legacy schema, new schema)`` on one server."""
    return fill


@pytest.fixture(scope="session")
def odd_rows() -> tuple[str, ...]:
    return ODD_ROWS


@pytest.fixture(scope="session")
def sides(mysql_legacy: PrivateServer) -> Iterator[Sides]:
    """Shared by all tests of the session: they put back what they change."""
    legacy = mysql_legacy.create_schema("catalog_legacy").schema
    new = mysql_legacy.create_schema("catalog_new").schema
    engine = create_engine(mysql_legacy.url(legacy), connect_args={"charset": "utf8mb4"})
    upgrade_legacy(engine)
    seed(mysql_legacy.url(legacy), Plan(ITEMS, 1))
    with engine.begin() as connection:
        for rows in ODD_ROWS:
            connection.exec_driver_sql(rows)
    catalog_engine = create_engine(mysql_legacy.url(new))
    migrate.upgrade(catalog_engine)
    catalog_engine.dispose()
    fill(engine, legacy, new)
    nowhere = f"127.0.0.1:{free_port()}"  # the catalog asks neither Redis nor the gateway
    shop = Shop.open(LegacySettings(mysql_legacy.url(legacy), f"redis://{nowhere}/0", f"http://{nowhere}"))
    service = create_app(Settings(mysql_legacy.url(new), tree_seconds=0.0))
    with _client(create_monolith(shop)) as legacy_client, _client(service) as new_client:
        yield Sides(engine, legacy, new, mysql_legacy.url(new), legacy_client, new_client)
    shop.close()
    engine.dispose()
    for schema in (legacy, new):
        mysql_legacy.drop_schema(schema)


def _client(app: Flask) -> httpx.Client:
    def as_servers_do(environ: dict[str, Any], start_response: Any) -> Any:
        # httpx hands the path over as text; WSGI wants its bytes, each as one Latin-1 character.
        environ["PATH_INFO"] = environ["PATH_INFO"].encode().decode("latin-1")
        return app(environ, start_response)

    return httpx.Client(transport=httpx.WSGITransport(app=as_servers_do), base_url="http://in-process")
