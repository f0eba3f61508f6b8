"""The database refuses writes because the other side owns the tables: said as 503, and jobs are quiet about it."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from contracts.purchasing_people import Person, buyer, new_items, staff
from contracts.shape import check_error
from extracted.purchasing.app import create_app
from extracted.purchasing.jobs.pending_orders import settle_pending
from extracted.purchasing.jobs.reservations import expire_reservations
from extracted.purchasing.jobs.worker import Recurring
from extracted.purchasing.service import Service
from strangler.dev.ports import free_port
from strangler.dev.server import PrivateServer

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def world(
    mysql_legacy: PrivateServer, tmp_path_factory: pytest.TempPathFactory, open_purchasing_world: Any
) -> Iterator[Any]:
    with open_purchasing_world(mysql_legacy, tmp_path_factory.mktemp("fence")) as world:
        world.streams.owner = "new"
        yield world


def fence(world: Any, mapping: dict[str, dict[str, Any]]) -> None:
    """Triggers as the toolkit's: every write of an owned table is refused, but an update that leaves all mapped
    columns as they are."""
    for name, table in mapping.items():
        if table.get("reference") or table.get("append"):
            continue
        columns = [*table["key"], *table["columns"]]
        same = " AND ".join(f"NEW.`{column}` <=> OLD.`{column}`" for column in columns)
        says = "SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'strangler: it belongs to legacy'"
        for event, when in (("INSERT", "TRUE"), ("DELETE", "TRUE"), ("UPDATE", f"NOT ({same})")):
            world.sql(
                f"CREATE TRIGGER fence_{name}_{event} BEFORE {event} ON {name} FOR EACH ROW "
                f"IF @strangler_applier IS NULL AND {when} THEN {says}; END IF"
            )


def test_writes_are_503_reads_go_on_and_nothing_reaches_the_gateway(
    world: Any, purchasing_mapping: dict[str, dict[str, Any]], caplog: pytest.LogCaptureFixture
) -> None:
    worker, person = staff(world.visitor()), buyer(world.visitor())
    bought, kept_item, stuck_item, loose = new_items(worker, "10.00", "20.00", "30.00", "40.00")
    order = person.buy(bought)
    bag = person.do("POST", "/api/bags", {}, 201)["id"]
    worker.do("POST", f"/api/bags/{bag}/receive")
    kept, stuck = buyer(world.visitor()), buyer(world.visitor())
    kept.put_in(kept_item)
    kept.do("POST", "/api/checkout/reservation", None, 201)
    world.sql(f"UPDATE stock SET reserved_until = '2020-01-01 00:00:00' WHERE item_id = {kept_item}")
    stuck.put_in(stuck_item)
    lonely = Service.open(replace(world.settings, gateway_url=f"http://127.0.0.1:{free_port()}"))
    Person(world.visitor(create_app(lonely)), stuck.token).pay("stuck", 503)
    lonely.close()
    world.sql(f"UPDATE orders SET created_at = '2020-01-01 00:00:00' WHERE user_id = {stuck.account['id']}")
    fence(world, purchasing_mapping)
    before = len(world.gateway.ledger.listing(None, 0, 10_000))

    wish = {"order_id": order["id"], "order_items": [order["items"][0]["id"]], "reason": "r"}
    item = {"title": "T", "price": "1", "category_id": 1, "condition": "worn"}
    for who, method, path, body in (
        (person, "POST", "/api/cart/items", {"item_id": loose}),
        (person, "DELETE", "/api/cart", None),
        (kept, "POST", "/api/checkout/reservation", None),
        (kept, "POST", "/api/checkout", {"payment_source": "tok_visa"}),
        (stuck, "POST", "/api/checkout", {"payment_source": "tok_visa"}),
        (person, "POST", "/api/returns", wish),
        (person, "POST", "/api/bags", {}),
        (worker, "POST", f"/api/bags/{bag}/items", item),
        (worker, "POST", f"/api/bags/{bag}/close", None),
        (worker, "POST", f"/api/orders/{order['id']}/ship", None),
        (worker, "POST", f"/api/users/{person.account['id']}/store-credit", {"amount": "1.00"}),
        (worker, "DELETE", f"/api/items/{loose}", None),
    ):
        answer = who.ask(method, path, body, Idempotency_Key="stuck")
        check_error(answer, 503, "not_owner", None)
        assert answer.headers["retry-after"] == "1"
    assert person.do("GET", f"/api/orders/{order['id']}")["id"] == order["id"]
    assert kept.do("GET", "/api/cart")["items"][0]["item"]["id"] == kept_item

    with caplog.at_level(logging.INFO, logger="extracted.purchasing.jobs"):
        for job in (expire_reservations, settle_pending):
            recurring = Recurring(job, 0.0)
            for now in range(3):
                recurring.tick(world.service, float(now))
    said = [record.getMessage() for record in caplog.records if record.name == "extracted.purchasing.jobs"]
    assert [line.partition(":")[0] for line in said] == ["expire_reservations", "settle_pending"]
    assert all("left to the side that owns" in line for line in said)
    assert len(world.gateway.ledger.listing(None, 0, 10_000)) == before
