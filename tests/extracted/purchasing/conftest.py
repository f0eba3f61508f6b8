"""Purchasing on real parts: a monolith, the service beside it, payment gateways over HTTP, and what stands in for the
change streams: the mapping of strangler.toml, run as plain SQL from one schema to the other of the same server."""

from __future__ import annotations

import itertools
import secrets
import threading
import time
import tomllib
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from flask import Flask
from sqlalchemy import Connection, Engine, create_engine
from sqlalchemy.exc import OperationalError
from werkzeug.serving import make_server

from contracts.purchasing import CONTRACT
from contracts.visitor import Visitor
from extracted.purchasing import migrate
from extracted.purchasing.app import create_app
from extracted.purchasing.service import Service, go_on
from extracted.purchasing.settings import Settings
from legacy_monolith.app import create_app as create_monolith
from legacy_monolith.gateway.app import create_gateway
from legacy_monolith.gateway.ledger import Ledger
from legacy_monolith.migrate import upgrade as upgrade_legacy
from legacy_monolith.seed.plan import Plan
from legacy_monolith.seed.run import seed
from legacy_monolith.settings import Settings as LegacySettings
from legacy_monolith.shop import Shop
from strangler.dev.ports import free_port
from strangler.dev.server import PrivateServer

ROOT = Path(__file__).parents[3]
ITEMS = 60
Tables = dict[str, dict[str, Any]]
_numbers = itertools.count(1)


def purchasing_tables() -> Tables:
    tables: Tables = tomllib.loads((ROOT / "strangler.toml").read_text())["capability"]["purchasing"]["tables"]
    return tables


def forth(table: str, mapping: dict[str, Any], legacy: str, new: str, *, owner: str = "legacy") -> list[str]:
    """What a stream from legacy does with rows that are there, as SQL over a whole table; ``gone`` sees to the others.
    While new owns: reference tables as ever, of groups only rows that are missing, nothing else."""
    expressions = {**mapping["key"], **mapping.get("columns", {})}
    names = ", ".join(f"`{name}`" for name in expressions)
    rows = (
        f"SELECT {', '.join(f'{sql} AS `{name}`' for name, sql in expressions.items())} FROM {legacy}.{mapping['from']}"
    )
    if mapping.get("append") or (owner == "new" and not (mapping.get("reference") or mapping.get("owns"))):
        return []
    if owner == "new" and mapping.get("owns"):
        return [_missing(f"{new}.{table}", expressions, rows, mapping["key"])]
    changes = ", ".join(f"`{name}` = VALUES(`{name}`)" for name in mapping.get("columns", {}) or mapping["key"])
    return [f"INSERT INTO {new}.{table} ({names}) {rows} ON DUPLICATE KEY UPDATE {changes}"]


def back(table: str, mapping: dict[str, Any], legacy: str, new: str) -> list[str]:
    """The same for the way back: whole rows, of groups their columns, of the outbox what legacy does not have."""
    way = mapping.get("back", {})
    source = f"{legacy}.{mapping['from']}"
    names = ", ".join(f"`{name}`" for name in way)
    rows = f"SELECT {', '.join(f'{expression} AS `{name}`' for name, expression in way.items())} FROM {new}.{table}"
    if mapping.get("reference"):
        return []
    if mapping.get("append"):
        # the key of an outbox is made of columns of the same names on both sides
        return [_missing(source, way, rows, mapping["key"])]
    if owns := mapping.get("owns"):
        changes = ", ".join(f"t.`{name}` = n.`{name}`" for name in owns)
        # staged first, as streams do: an update that reads the service's rows itself would lock them
        return [
            f"DROP TEMPORARY TABLE IF EXISTS {new}.staged",
            f"CREATE TEMPORARY TABLE {new}.staged {rows}",
            f"UPDATE {source} t JOIN {new}.staged n ON n.id = t.id SET {changes}",
        ]
    changes = ", ".join(f"`{name}` = VALUES(`{name}`)" for name in way)
    return [f"INSERT INTO {source} ({names}) {rows} ON DUPLICATE KEY UPDATE {changes}"]


def _missing(target: str, names: Iterable[str], rows: str, key: Iterable[str]) -> str:
    same = " AND ".join(f"t.`{name}` = n.`{name}`" for name in key)
    picked = ", ".join(f"n.`{name}`" for name in names)
    return (
        f"INSERT INTO {target} ({', '.join(f'`{name}`' for name in names)}) SELECT {picked} FROM ({rows}) n "
        f"LEFT JOIN {target} t ON {same} WHERE t.`{next(iter(key))}` IS NULL"
    )


def gone(connection: Connection, target: str, source: str, key: str) -> None:
    """Deletes from ``target`` what ``source`` does not have. Found first, by a read that takes no locks."""
    found = connection.exec_driver_sql(
        f"SELECT t.{key} FROM {target} t LEFT JOIN {source} s ON s.id = t.{key} WHERE s.id IS NULL"
    )
    if ids := [row[0] for row in found]:
        connection.exec_driver_sql(f"DELETE FROM {target} WHERE {key} IN ({', '.join(map(str, ids))})")


def run_all(connection: Connection, statements: list[str]) -> None:
    for statement in statements:
        connection.exec_driver_sql(statement.replace("%", "%%"))


@dataclass
class Streams:
    """Both directions between a monolith's schema and a service's. ``owner`` decides what flows. ``run`` does it once;
    ``follow`` does it whenever somebody has written, ``late_seconds`` later."""

    engine: Engine
    legacy: str
    new: str
    owner: str = "legacy"
    late_seconds: float = 0.0
    token: int = 1
    _written: threading.Event = field(default_factory=threading.Event)
    _running: threading.Lock = field(default_factory=threading.Lock)
    _stop: bool = False
    _sums: dict[str, int] = field(default_factory=dict)

    def run(self) -> None:
        """Brings over what has changed since the last time. One at a time, so that nothing older comes last."""
        with self._running:
            self._run()

    def _run(self) -> None:
        tables = purchasing_tables()
        for attempt in range(20):
            try:
                with self.engine.begin() as connection:
                    connection.exec_driver_sql(
                        f"SET foreign_key_checks = 0, @strangler_applier = 'purchasing:{self.token}'"
                    )
                    changed = self._changed(connection, tables)
                    if self.owner == "new":
                        for name, mapping in tables.items():
                            if f"{self.new}.{name}" in changed:
                                self._back(connection, name, mapping)
                    # dependents first: whoever sees a log-in sees its user too
                    for name, mapping in reversed(tables.items()):
                        if f"{self.legacy}.{mapping['from']}" in changed:
                            self._forth(connection, name, mapping)
                self._sums.update(changed)
                return
            except OperationalError:  # a deadlock with somebody at work: so would a stream try again
                if attempt == 19:
                    raise
                time.sleep(0.01)

    def _changed(self, connection: Connection, tables: Tables) -> dict[str, int]:
        names = {f"{self.new}.{name}" for name in tables} | {f"{self.legacy}.{m['from']}" for m in tables.values()}
        sums = {row[0]: row[1] for row in connection.exec_driver_sql(f"CHECKSUM TABLE {', '.join(sorted(names))}")}
        return {name: total for name, total in sums.items() if self._sums.get(name) != total}

    def _back(self, connection: Connection, name: str, mapping: dict[str, Any]) -> None:
        if not any(mapping.get(word) for word in ("reference", "append", "owns")):
            gone(connection, f"{self.legacy}.{mapping['from']}", f"{self.new}.{name}", "id")
        run_all(connection, back(name, mapping, self.legacy, self.new))

    def _forth(self, connection: Connection, name: str, mapping: dict[str, Any]) -> None:
        follows = mapping.get("reference") or (self.owner == "legacy" and not mapping.get("append"))
        if follows and len(mapping["key"]) == 1:
            key = next(iter(mapping["key"]))
            gone(connection, f"{self.new}.{name}", f"{self.legacy}.{mapping['from']}", key)
        run_all(connection, forth(name, mapping, self.legacy, self.new, owner=self.owner))

    def wake(self) -> None:
        self._written.set()

    @contextmanager
    def follow(self) -> Iterator[None]:
        thread = threading.Thread(target=self._follow, daemon=True)
        thread.start()
        yield
        self._stop = True
        self.wake()
        thread.join(10)

    def _follow(self) -> None:
        while True:
            self._written.wait()
            self._written.clear()
            if self._stop:
                return
            time.sleep(self.late_seconds)
            self.run()


@dataclass(frozen=True)
class Gateway:
    """The real gateway behind real HTTP, with its ledger at hand."""

    url: str
    ledger: Ledger


@dataclass(frozen=True)
class World:
    """A whole shop: a monolith over its schema and, unless it is a legacy world, the service over its own."""

    engine: Engine
    legacy_schema: str
    new_schema: str
    gateway: Gateway
    monolith: Flask
    monolith_url: str
    shop: Shop
    settings: Settings
    service: Service
    app: Flask
    streams: Streams

    def client(self, app: Flask) -> httpx.Client:
        """Called through WSGI; whoever follows is told of every request."""

        def tell(environ: dict[str, Any], start_response: Any) -> Any:
            environ["PATH_INFO"] = environ["PATH_INFO"].encode().decode("latin-1")
            answer = app(environ, start_response)
            self.streams.wake()
            return answer

        return httpx.Client(transport=httpx.WSGITransport(app=tell), base_url="http://in-process", timeout=90)

    def visitor(self, app: Flask | None = None) -> Visitor:
        """Somebody whose purchases go to the service (``app``: another one over the same rows), all else to the
        monolith, as through the proxy."""
        return Visitor(self.client(app or self.app), elsewhere=self.client(self.monolith), routes=CONTRACT.routes)

    def legacy_visitor(self) -> Visitor:
        return Visitor(self.client(self.monolith))

    def sql(self, statement: str, schema: str | None = None) -> list[tuple[Any, ...]]:
        with self.engine.begin() as connection:
            connection.exec_driver_sql(f"USE {schema or self.new_schema}")
            connection.exec_driver_sql("SET @strangler_applier = NULL")  # the streams' sessions are of the same pool
            result = connection.exec_driver_sql(statement.replace("%", "%%"))
            return [tuple(row) for row in result] if result.returns_rows else []


def serve(stack: ExitStack, app: Any) -> str:
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    stack.callback(thread.join, 10)
    stack.callback(server.shutdown)
    return f"http://127.0.0.1:{server.server_port}"


@contextmanager
def open_world(server: PrivateServer, folder: Path, at: Callable[[str], None] = go_on) -> Iterator[World]:
    """Seeded, copied, and owned by legacy."""
    mark = f"{next(_numbers)}_{secrets.token_hex(3)}"
    with ExitStack() as stack:
        legacy, new = (server.create_schema(f"purchasing_{side}_{mark}").schema for side in ("legacy", "new"))
        for schema in (legacy, new):
            stack.callback(server.drop_schema, schema)
        engine = create_engine(
            server.url(legacy), connect_args={"charset": "utf8mb4"}, isolation_level="READ COMMITTED"
        )
        stack.callback(engine.dispose)
        upgrade_legacy(engine)
        seed(server.url(legacy), Plan(ITEMS, 1))
        service_engine = create_engine(server.url(new))
        migrate.upgrade(service_engine)
        service_engine.dispose()
        ledger = Ledger(folder / f"{mark}.db")
        gateway = Gateway(serve(stack, create_gateway(ledger)), ledger)
        nowhere = f"redis://127.0.0.1:{free_port()}/0"
        shop = Shop.open(LegacySettings(server.url(legacy), nowhere, gateway.url, 30))
        stack.callback(shop.close)
        monolith = create_monolith(shop)
        streams = Streams(engine, legacy, new)
        stack.enter_context(streams.follow())

        def told(environ: dict[str, Any], start_response: Any) -> Any:
            answer = monolith(environ, start_response)
            streams.wake()
            return answer

        monolith_url = serve(stack, told)
        # a busy machine is no reason to fail: what is waited for comes in the end
        settings = Settings(server.url(new), monolith_url, gateway.url, 30, 30, patience_seconds=60)
        service = Service.open(settings, at)
        stack.callback(service.close)
        streams.run()
        yield World(
            engine, legacy, new, gateway, monolith, monolith_url, shop, settings, service, create_app(service), streams
        )


@pytest.fixture(scope="session")
def new_world(mysql_legacy: PrivateServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Purchasing belongs to the service; the monolith follows. Shared: tests make what they change."""
    with open_world(mysql_legacy, tmp_path_factory.mktemp("gateway")) as world:
        world.streams.owner = "new"
        yield world


@pytest.fixture(scope="session")
def legacy_world(mysql_legacy: PrivateServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Purchasing belongs to the monolith. Shared: tests make what they change."""
    with open_world(mysql_legacy, tmp_path_factory.mktemp("gateway")) as world:
        yield world


@pytest.fixture(scope="session")
def open_purchasing_world() -> Callable[..., Any]:
    """``open_world(server, folder)``: one of one's own."""
    return open_world


@pytest.fixture(scope="session")
def purchasing_mapping() -> Tables:
    return purchasing_tables()


@pytest.fixture(scope="session")
def as_sql() -> dict[str, Callable[..., list[str]]]:
    """``forth`` and ``back`` of one table as statements."""
    return {"forth": forth, "back": back}
