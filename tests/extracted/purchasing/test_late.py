"""Copies come late: what the monolith has is waited for, what it does not have is said at once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from contracts.purchasing_people import ADDRESS, Person, buyer, new_code, new_items, staff
from contracts.shape import check_error
from extracted.purchasing.app import create_app
from extracted.purchasing.service import Service
from extracted.purchasing.web.errors import ApiError, not_found
from extracted.purchasing.web.late import Missing, wait_for_copies
from strangler.dev.ports import free_port
from strangler.dev.server import PrivateServer


@pytest.fixture(scope="module")
def late_world(
    mysql_legacy: PrivateServer, tmp_path_factory: pytest.TempPathFactory, open_purchasing_world: Any
) -> Iterator[Any]:
    with open_purchasing_world(mysql_legacy, tmp_path_factory.mktemp("late")) as world:
        world.streams.owner, world.streams.late_seconds = "new", 0.3
        yield world


@pytest.mark.real
def test_log_in_address_item_and_code_can_be_used_at_once(late_world: Any) -> None:
    worker = staff(late_world.visitor())
    items = new_items(worker, "20.00")
    code = new_code(worker, kind="amount", value="1.00")
    person = buyer(late_world.visitor(), address=False)
    person.do("POST", "/api/cart/promotions", {"code": code}, 201)
    person.put_in(*items)
    person.do("POST", "/api/addresses", ADDRESS, 201)
    assert person.pay("at once")["order"]["total"] == "24.95"
    second = person.do("POST", "/api/addresses", {**ADDRESS, "line1": "2 Oak"}, 201)["id"]
    person.put_in(*new_items(worker, "20.00"))
    assert person.pay("there", address_id=second)["order"]["ship_to"][1] == "2 Oak"


@pytest.mark.real
def test_what_does_not_exist_is_said_without_waiting(late_world: Any) -> None:
    impatient = create_app(replace(late_world.service, settings=replace(late_world.settings, patience_seconds=0.0)))
    late_world.streams.run()
    person = buyer(late_world.visitor())
    late_world.streams.run()
    hurried = Person(late_world.visitor(impatient), person.token)
    check_error(hurried.ask("POST", "/api/cart/items", {"item_id": 999_999}), 404, "not_found", None)
    check_error(hurried.ask("POST", "/api/cart/promotions", {"code": "NONE"}), 404, "not_found", "code")
    check_error(Person(hurried.visitor, "wrong").ask("GET", "/api/cart"), 401, "unauthorized", None)


@pytest.mark.real
def test_what_does_not_come_in_time_and_a_monolith_that_is_away_are_503(late_world: Any) -> None:
    nowhere = f"http://127.0.0.1:{free_port()}"
    person = buyer(late_world.visitor())
    late_world.streams.run()
    known, fresh = Person(late_world.visitor(), person.token), "unheard-of"
    hasty = create_app(replace(late_world.service, settings=replace(late_world.settings, patience_seconds=0.0)))
    late_world.sql(f"DELETE FROM sessions WHERE user_id = {person.account['id']}")
    late_world.sql(f"DELETE FROM users WHERE id = {person.account['id']}")
    check_error(Person(late_world.visitor(hasty), person.token).ask("GET", "/api/cart"), 503, "late", None)
    alone = Service.open(replace(late_world.settings, shop_url=nowhere))
    answer = Person(late_world.visitor(create_app(alone)), fresh).ask("GET", "/api/cart")
    check_error(answer, 503, "unavailable", None)
    assert answer.headers["retry-after"] == "1"
    late_world.streams._sums.clear()
    late_world.streams.run()
    known.do("GET", "/api/cart")
    alone.close()


def test_each_thing_that_is_missing_is_asked_for_once() -> None:
    asked: list[str] = []

    def exists(what: str, answer: bool | None) -> Any:
        return lambda: asked.append(what) or answer

    left = [("user", True), ("user", True), ("item", True), None]

    def work() -> str:
        if one := left.pop(0):
            raise Missing(not_found(one[0]), exists(*one))
        return "done"

    assert wait_for_copies(work, 10.0) == "done"
    assert asked == ["user", "item"]


def test_where_nobody_can_say_the_thing_is_missing_when_patience_is_over() -> None:
    def work() -> None:
        raise Missing(not_found("user"), lambda: None)

    with pytest.raises(ApiError) as said:
        wait_for_copies(work, 0.0)
    assert said.value.status == 404
