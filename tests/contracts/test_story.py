"""Cases that write are compared as stories: what differs from run to run is told alike, all else is a difference."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from contracts.case import Contract, require
from contracts.run import Patience, run_on, stories
from contracts.story import Story
from contracts.visitor import Answer, Request, Visitor, open_client, serves

CONTRACT = Contract("orders", story=Story)


def told(*bodies: object, status: int = 200) -> list[Answer]:
    kind = {"content-type": "application/json"}
    return [Answer(Request("GET", "/x"), status, kind, json.dumps(body).encode()) for body in bodies]


def order(number: int, **more: Any) -> dict[str, Any]:
    when = f"2026-11-2{number % 9}T12:00:00-08:00"
    return {
        "id": number,
        "item_id": number + 7,
        "charge_id": f"ch_{number}",
        "total": "38.45",
        "placed_at": when,
        **more,
    }


def test_ids_times_and_made_up_words_are_told_alike() -> None:
    legacy = told(order(17), {"error": {"message": "order 17 is paid"}}, {"items": [24, 25], "order": order(17)})
    new = told(order(3), {"error": {"message": "order 3 is paid"}}, {"items": [10, 99], "order": order(3)})
    assert stories(CONTRACT, legacy, new) == []


@pytest.mark.parametrize(
    ("legacy", "new", "path"),
    [
        (told(order(1)), told(order(1, total="38.46")), "$.total"),
        (told(order(1)), told(order(1), status=201), "status"),
        (told(order(1), order(1)), told(order(1), order(2)), '$[".id"]'),
        (told({"items": [1, 2, 1]}), told({"items": [1, 2, 2]}), "$.items[2]"),
        (told(order(1), order(1)), told(order(1)), "number of requests"),
        (told({"message": "12 of 50"}), told({"message": "13 of 50"}), "$.message"),
    ],
)
def test_all_else_is_a_difference(legacy: list[Answer], new: list[Answer], path: str) -> None:
    found = stories(CONTRACT, legacy, new)
    assert found
    assert path.strip('$[]"') in found[0][1].path


def test_a_route_serves_its_template() -> None:
    route = "POST /api/orders/{id}/ship"
    assert serves(route, Request("POST", "/api/orders/17/ship?x=1"))
    for method, target in (
        ("GET", "/api/orders/17/ship"),
        ("POST", "/api/orders/17"),
        ("POST", "/api/orders/1/2/ship"),
    ):
        assert not serves(route, Request(method, target))


def test_what_the_routes_do_not_name_is_asked_elsewhere(start_side: Callable[[], Any]) -> None:
    legacy, new, rest = start_side(), start_side(), start_side()
    new.bodies = {"/things/a": [b'{"name":"a"}']}
    contract = Contract("things", story=Story, routes=("GET /things/{name}",))

    @contract.case("both are there")
    def both(visitor: Visitor) -> None:
        for path in ("/things", "/things/a"):
            require(visitor.get(path).status == 200, f"no {path}")

    with open_client(legacy.url) as one, open_client(new.url) as other, open_client(rest.url) as elsewhere:
        report = run_on(contract, {"legacy": one, "new": other}, Patience(attempts=1), {"new": elsewhere})
    assert (report.passed, report.failed) == (3, 0), report.text()
    assert (legacy.asked, new.asked, rest.asked) == (["/things", "/things/a"], ["/things/a"], ["/things"])
