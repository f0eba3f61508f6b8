"""The database refuses writes because the other side owns the tables: said as 503, and jobs are quiet about it."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Iterator
from typing import Any

import pytest

from contracts.purchasing_people import Person, buyer, new_items, staff
from contracts.shape import check_error
from extracted.purchasing.jobs.pending_orders import settle_pending
from extracted.purchasing.jobs.reservations import expire_reservations
from extracted.purchasing.jobs.worker import Recurring
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
    reserved, pending, loose = new_items(worker, "10.00", "20.00", "30.00")
    person.put_in(reserved)
    person.do("POST", "/api/checkout/reservation", None, 201)
    world.sql(f"UPDATE stock SET reserved_until = '2020-01-01 00:00:00' WHERE item_id = {reserved}")
    order = person.buy(reserved)
    bag = person.do("POST", "/api/bags", {}, 201)["id"]
    worker.do("POST", f"/api/bags/{bag}/receive")
    kept, key = buyer(world.visitor()), secrets.token_hex(5)
    kept.put_in(pending)
    kept.do("POST", "/api/checkout/reservation", None, 201)
    world.sql(f"UPDATE stock SET reserved_until = '2020-01-01 00:00:00' WHERE item_id = {pending}")
    world.sql(f"UPDATE orders SET status = 'pending', created_at = '2020-01-01 00:00:00' WHERE id = {order['id']}")
    fence(world, purchasing_mapping)
    before = len(world.gateway.ledger.listing(None, 0, 10_000))

    for method, path, body in (
        ("POST", "/api/cart/items", {"item_id": loose}),
        ("POST", "/api/checkout/reservation", None),
        ("POST", "/api/returns", {"order_id": order["id"], "order_items": [1], "reason": "r"}),
        ("POST", "/api/bags", {}),
        ("DELETE", "/api/cart", None),
    ):
        who = kept if "reservation" in path else person
        answer = who.ask(method, path, body)
        if "returns" in path:
            check_error(answer, 409, "wrong_status", "order_id")
            continue
        check_error(answer, 503, "not_owner", None)
        assert answer.headers["retry-after"] == "1"
    check_error(kept.ask("POST", "/api/checkout", {"payment_source": "x"}, Idempotency_Key=key), 503, "not_owner", None)
    item = {"title": "T", "price": "1", "category_id": 1, "condition": "worn"}
    for path, body in ((f"bags/{bag}/items", item), (f"bags/{bag}/close", None), (f"orders/{order['id']}/ship", None)):
        answer = worker.ask("POST", f"/api/{path}", body)
        check_error(answer, *((409, "wrong_status") if "ship" in path else (503, "not_owner")), None)
    check_error(worker.ask("DELETE", f"/api/items/{loose}"), 503, "not_owner", None)
    assert person.do("GET", f"/api/orders/{order['id']}")["id"] == order["id"]
    assert Person(kept.visitor, kept.token).do("GET", "/api/cart")["items"][0]["item"]["id"] == pending

    with caplog.at_level(logging.INFO, logger="extracted.purchasing.jobs"):
        for job in (expire_reservations, settle_pending):
            recurring = Recurring(job, 0.0)
            for now in range(3):
                recurring.tick(world.service, float(now))
    said = [record.getMessage() for record in caplog.records if record.name == "extracted.purchasing.jobs"]
    assert [line.partition(":")[0] for line in said] == ["expire_reservations", "settle_pending"]
    assert all("left to the side that owns" in line for line in said)
    assert len(world.gateway.ledger.listing(None, 0, 10_000)) == before
