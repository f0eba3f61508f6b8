"""Purchasing moves to the service and back: what was begun on one side is finished on the other, and charged once."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from contracts.purchasing_people import Person, buyer, new_items, staff
from contracts.visitor import Visitor
from extracted.purchasing.app import create_app
from extracted.purchasing.service import Service
from legacy_monolith.app import create_app as create_monolith
from legacy_monolith.settings import Settings as LegacySettings
from legacy_monolith.shop import Shop
from strangler.dev.ports import free_port
from strangler.dev.server import PrivateServer

pytestmark = pytest.mark.real


def charges(world: Any, order_id: int) -> list[int]:
    entries = world.gateway.ledger.listing(None, 0, 10_000)
    return [entry.amount_cents for entry in entries if entry.idempotency_key == f"order-{order_id}"]


def test_a_purchase_begun_on_one_side_is_finished_on_the_other(
    mysql_legacy: PrivateServer, tmp_path: Path, open_purchasing_world: Any
) -> None:
    nowhere = f"http://127.0.0.1:{free_port()}"
    with open_purchasing_world(mysql_legacy, tmp_path) as world:
        lonely_shop = Shop.open(LegacySettings(mysql_legacy.url(world.legacy_schema), "redis://127.0.0.1:1/0", nowhere))
        lonely = Service.open(replace(world.settings, gateway_url=nowhere))
        there = world.legacy_visitor
        worker, person = staff(there()), buyer(there())
        first, second, third = new_items(worker, "15.00", "25.00", "35.00")

        # paid, and begun, on the monolith
        person.put_in(third)
        paid = person.ask("POST", "/api/checkout", {"payment_source": "tok_visa"}, Idempotency_Key="paid")
        person.put_in(first)
        stuck = Person(Visitor(world.client(create_monolith(lonely_shop))), person.token)
        assert stuck.pay("begun", 503)["error"]["code"] == "payment_unknown"
        world.streams.run()
        world.streams.owner = "new"

        # finished by the service, under the order's id and key
        moved = Person(world.visitor(), person.token)
        again = moved.ask("POST", "/api/checkout", {"payment_source": "tok_visa"}, Idempotency_Key="paid")
        assert (again.status, again.body) == (paid.status, paid.body)
        order = moved.pay("begun")["order"]
        assert charges(world, order["id"]) == [2095]

        # begun by the service, and moved back
        moved.put_in(second)
        waiting = Person(world.visitor(create_app(lonely)), person.token)
        assert waiting.pay("back", 503)["error"]["code"] == "payment_unknown"
        world.streams.run()
        world.streams.owner = "legacy"
        after = person.pay("back")["order"]
        assert (after["id"], charges(world, after["id"])) == (order["id"] + 1, [3095])
        replayed = person.ask("POST", "/api/checkout", {"payment_source": "tok_visa"}, Idempotency_Key="paid")
        assert replayed.body == paid.body
        assert person.do("GET", f"/api/orders/{order['id']}") == order
        mails = world.sql("SELECT dedupe_key FROM mails WHERE template = 'order_paid'", world.legacy_schema)
        assert sorted(key for (key,) in mails) == sorted(
            f"order_paid:{each['id']}" for each in (paid.json["order"], order, after)
        )
        told = f"SELECT COUNT(*) FROM notifications WHERE user_id = {person.account['id']} AND topic = 'orders'"
        assert world.sql(told, world.legacy_schema) == [(3,)]
        lonely_shop.close()
        lonely.close()


def test_the_monolith_and_the_service_show_the_same_after_any_of_their_writes(new_world: Any) -> None:
    worker, person = staff(new_world.visitor()), buyer(new_world.visitor())
    order = person.buy(*new_items(worker, "20.00", "30.00"))
    wish = {"order_id": order["id"], "order_items": [order["items"][1]["id"]], "reason": "r"}
    asked = person.do("POST", "/api/returns", {**wish, "refund_to": "store_credit"}, 201)["id"]
    worker.do("POST", f"/api/returns/{asked}/receive")
    worker.do("POST", f"/api/returns/{asked}/refund")
    person.put_in(*new_items(worker, "7.00"))
    new_world.streams.run()
    there = Person(new_world.legacy_visitor(), person.token)
    for path in ("cart", "orders", f"orders/{order['id']}", "returns", "store-credit", "bags"):
        here, answer = person.ask("GET", f"/api/{path}"), there.ask("GET", f"/api/{path}")
        assert (here.status, here.body) == (answer.status, answer.body)
    assert there.do("GET", "/api/me")["store_credit"] == "30.00"
