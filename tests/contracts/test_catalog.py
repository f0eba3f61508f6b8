"""The catalog's contract notices what a side may do wrong: planted in an answer that is right otherwise."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from sqlalchemy import create_engine

from contracts.case import Contract
from contracts.catalog import CONTRACT
from contracts.run import Patience, run_on
from legacy_monolith.app import create_app
from legacy_monolith.migrate import upgrade
from legacy_monolith.seed.plan import Plan
from legacy_monolith.seed.run import seed
from legacy_monolith.settings import Settings
from legacy_monolith.shop import Shop
from strangler.dev.ports import free_port
from strangler.dev.server import PrivateServer

pytestmark = pytest.mark.real
ONCE = Patience(attempts=1)
Wsgi = Callable[[dict[str, Any], Any], Any]
Body = dict[str, Any]


@pytest.fixture(scope="module")
def shop(mysql_legacy: PrivateServer) -> Iterator[Wsgi]:
    schema = mysql_legacy.create_schema("contract_shop").schema
    engine = create_engine(mysql_legacy.url(schema))
    upgrade(engine)
    engine.dispose()
    seed(mysql_legacy.url(schema), Plan(1_000, 1))
    nowhere = f"127.0.0.1:{free_port()}"
    shop = Shop.open(Settings(mysql_legacy.url(schema), f"redis://{nowhere}/0", f"http://{nowhere}"))
    yield create_app(shop)
    shop.close()
    mysql_legacy.drop_schema(schema)


class Planting(httpx.BaseTransport):
    """The shop, with ``change`` applied to the body of every 200 whose path is ``path``."""

    def __init__(self, app: Wsgi, path: str, change: Callable[[Body], None]) -> None:
        self._inner, self._path, self._change = httpx.WSGITransport(app=app), path, change

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        response = self._inner.handle_request(request)
        if response.status_code != 200 or request.url.path != self._path:
            return response
        body = json.loads(response.read())
        self._change(body)
        text = json.dumps(body, separators=(",", ":"), ensure_ascii=False)
        return httpx.Response(200, headers={"content-type": "application/json"}, content=text.encode())


def only(*words: str) -> Contract:
    """The contract with the cases whose name holds one of the words: the rest has tests enough."""
    return Contract("catalog", cases=[case for case in CONTRACT.cases if any(word in case.name for word in words)])


def swap_first_two(body: Body) -> None:
    items = body["items"]
    if len(items) > 1:
        items[0], items[1] = items[1], items[0]


def repeat_first(body: Body) -> None:
    if len(body["items"]) > 1:
        body["items"][1] = body["items"][0]


def say_sold(body: Body) -> None:
    for item in body["items"][:1]:
        item["availability"] = "sold"


def price_as_number(body: Body) -> None:
    for item in body["items"][:1]:
        item["price"] = float(item["price"])


def one_short(body: Body) -> None:
    body["items"] = body["items"][:-1]


def last_brand_first(body: Body) -> None:
    body["brands"].insert(0, body["brands"].pop())


def extra_key(body: Body) -> None:
    body["categories"][0]["children"][0]["deleted"] = False


@pytest.mark.parametrize(
    ("path", "change", "said"),
    [
        ("/api/items", swap_first_two, "not in the order newest"),
        ("/api/items", repeat_first, "an item is listed twice"),
        ("/api/items", say_sold, "it is sold"),
        ("/api/items", price_as_number, "$.items[0].price"),
        ("/api/items", one_short, "items of"),
        ("/api/brands", last_brand_first, "brands are not ordered by slug"),
        ("/api/categories", extra_key, "Additional properties are not allowed ('deleted' was unexpected)"),
    ],
)
def test_a_planted_fault_breaks_a_promise(shop: Wsgi, path: str, change: Callable[[Body], None], said: str) -> None:
    with httpx.Client(transport=Planting(shop, path, change), base_url="http://in-process") as client:
        report = run_on(only("24 of the newest", "brands are", "categories are"), {"new": client}, ONCE)
    assert report.failed == 1
    assert said in report.differences[0].message


def test_a_difference_that_breaks_no_promise_is_still_found(shop: Wsgi) -> None:
    def rename(body: Body) -> None:
        body["items"][0]["title"] += "."

    with (
        httpx.Client(transport=httpx.WSGITransport(app=shop), base_url="http://in-process") as right,
        httpx.Client(transport=Planting(shop, "/api/items", rename), base_url="http://in-process") as wrong,
    ):
        report = run_on(only("24 of the newest"), {"legacy": right, "new": wrong}, ONCE)
    assert report.passed >= 2
    assert {difference.side for difference in report.differences} == {"both"}
    assert {difference.path for difference in report.differences} == {"$.items[0].title"}
