"""Sending back: restocked items can be sold again, money comes back once and never more than was paid."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pytest

from legacy_monolith.models import Refund
from legacy_monolith.returns import refund
from legacy_monolith.returns.refund import split
from legacy_monolith.returns.vocabulary import RefundTo


@pytest.mark.parametrize(
    ("amount", "card_left", "to", "expected"),
    [
        ("20.00", "30.00", RefundTo.CARD, ("20.00", "0.00")),
        ("20.00", "15.00", RefundTo.CARD, ("15.00", "5.00")),
        ("20.00", "0.00", RefundTo.CARD, ("0.00", "20.00")),
        ("20.00", "30.00", RefundTo.STORE_CREDIT, ("0.00", "20.00")),
    ],
)
def test_the_card_never_gets_back_more_than_it_paid(amount, card_left, to, expected):
    assert split(Decimal(amount), Decimal(card_left), to) == tuple(map(Decimal, expected))


def _return(buyer, order, *numbers, **more):
    lines = [order["items"][number]["id"] for number in numbers]
    body = {"order_id": order["id"], "order_items": lines, "reason": "too small", **more}
    return buyer.do("POST", "/api/returns", body, 201)


@pytest.mark.real
def test_a_return_is_received_restocked_refunded_and_the_item_sold_again(buyer, new_buyer, staff, new_item, gateway):
    kept, back = new_item("50.00"), new_item("30.00")
    order = buyer.buy(kept, back, key="r")["order"]
    wish = _return(buyer, order, 1)
    assert wish["status"] == "requested"
    staff.do("POST", f"/api/returns/{wish['id']}/refund", None, 409)
    received = staff.do("POST", f"/api/returns/{wish['id']}/receive", {})
    assert received["items"][0]["restocked"] is True
    assert buyer.get(f"/api/items/{back}")["availability"] == "listed"
    done = staff.do("POST", f"/api/returns/{wish['id']}/refund")
    assert (done["status"], done["refund"]["card_amount"]) == ("refunded", "30.00")
    assert staff.do("POST", f"/api/returns/{wish['id']}/refund") == done
    refunds = [
        entry
        for entry in gateway.ledger.listing("refund", 0, 10_000)
        if entry.charge_id == order["payment"]["charge_id"]
    ]
    assert [entry.amount_cents for entry in refunds] == [3000]
    now = buyer.get(f"/api/orders/{order['id']}")
    assert (now["status"], now["payment"]["status"]) == ("partly_returned", "partly_refunded")
    assert new_buyer().buy(back, key="again")["order"]["status"] == "paid"
    assert buyer.get("/api/notifications")["notifications"][0]["title"] == f"Refund for return {wish['id']}"


@pytest.mark.real
def test_not_restocked_items_stay_returned(buyer, staff, new_item):
    item_id = new_item()
    order = buyer.buy(item_id, key="r")["order"]
    wish = _return(buyer, order, 0, refund_to="store_credit")
    staff.do("POST", f"/api/returns/{wish['id']}/receive", {"restock": []})
    assert buyer.get(f"/api/items/{item_id}")["availability"] == "returned"
    staff.do("POST", f"/api/returns/{wish['id']}/refund")
    assert buyer.get("/api/store-credit")["balance"] == "20.00"
    assert buyer.get(f"/api/orders/{order['id']}")["status"] == "returned"


@pytest.mark.real
def test_a_refund_goes_back_the_way_it_was_paid(buyer, staff, new_item):
    staff.do("POST", f"/api/users/{buyer.user['id']}/store-credit", {"amount": "60.00"}, 201)
    order = buyer.buy(new_item("80.00"), key="m", use_store_credit=True)["order"]
    assert order["payment"]["amount"] == "20.00"
    wish = _return(buyer, order, 0)
    staff.do("POST", f"/api/returns/{wish['id']}/receive", {})
    given = staff.do("POST", f"/api/returns/{wish['id']}/refund")["refund"]
    assert (given["card_amount"], given["credit_amount"]) == ("20.00", "60.00")


@pytest.mark.real
def test_two_returns_of_one_order_refunded_at_once_do_not_overdraw_the_card(buyer, staff, new_item, meet):
    staff.do("POST", f"/api/users/{buyer.user['id']}/store-credit", {"amount": "70.00"}, 201)
    order = buyer.buy(new_item("50.00"), new_item("50.00"), key="t", use_store_credit=True)["order"]
    wishes = [_return(buyer, order, number) for number in (0, 1)]
    for wish in wishes:
        staff.do("POST", f"/api/returns/{wish['id']}/receive", {})
    meet(refund, "split")
    with ThreadPoolExecutor(2) as threads:
        done = list(threads.map(lambda wish: staff.do("POST", f"/api/returns/{wish['id']}/refund"), wishes))
    assert sum(Decimal(each["refund"]["card_amount"]) for each in done) == Decimal("30.00")
    assert sum(Decimal(each["refund"]["credit_amount"]) for each in done) == Decimal("70.00")
    assert buyer.get(f"/api/orders/{order['id']}")["status"] == "returned"


@pytest.mark.real
def test_a_silent_gateway_is_asked_again_and_refunds_once(
    buyer, staff, new_item, app_without_gateway, gateway, count, monkeypatch
):
    order = buyer.buy(new_item("44.00"), key="g")["order"]
    wish = _return(buyer, order, 0)
    staff.do("POST", f"/api/returns/{wish['id']}/receive", {})
    monkeypatch.setattr(staff, "app", app_without_gateway)
    assert staff.do("POST", f"/api/returns/{wish['id']}/refund", None, 503)["error"]["code"] == "payment_unknown"
    monkeypatch.undo()
    assert staff.do("POST", f"/api/returns/{wish['id']}/refund")["refund"]["status"] == "done"
    assert count(Refund, Refund.return_id == wish["id"]) == 1
    assert gateway.ledger.listing("refund", 0, 10_000)[-1].amount_cents == 4400


@pytest.mark.real
def test_what_can_not_be_returned(buyer, new_buyer, staff, new_item):
    order = buyer.buy(new_item(), key="n")["order"]
    body = {"order_id": order["id"], "order_items": [order["items"][0]["id"]], "reason": "x"}
    new_buyer().do("POST", "/api/returns", body, 404)
    assert buyer.do("POST", "/api/returns", {**body, "order_items": [1]}, 400)["error"]["field"] == "order_items"
    wish = buyer.do("POST", "/api/returns", body, 201)
    assert buyer.do("POST", "/api/returns", body, 409)["error"]["code"] == "already_returned"
    staff.do("POST", f"/api/returns/{wish['id']}/reject")
    assert buyer.get(f"/api/returns/{wish['id']}")["status"] == "rejected"
    buyer.do("POST", "/api/returns", body, 201)
