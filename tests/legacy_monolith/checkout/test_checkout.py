"""Buying: an item is sold once, money is taken once, and a failure leaves nothing behind."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from legacy_monolith.catalog.vocabulary import ItemStatus
from legacy_monolith.checkout import placing, routes
from legacy_monolith.jobs.pending_orders import settle_pending
from legacy_monolith.models import Mail, Order, OrderItem, Promotion, PromotionRedemption

pytestmark = pytest.mark.real


def test_a_cart_becomes_a_paid_order(buyer, new_item, item_row, gateway, count):
    first, second = new_item("20.00"), new_item("12.50")
    order = buyer.buy(first, second, key="k1")["order"]
    assert (order["status"], order["subtotal"], order["shipping"], order["total"]) == ("paid", "32.50", "5.95", "38.45")
    charge = gateway.ledger.by_key(f"order-{order['id']}")
    assert (charge.status, charge.amount_cents, charge.id) == ("captured", 3845, order["payment"]["charge_id"])
    assert [item_row(each).status for each in (first, second)] == [ItemStatus.SOLD] * 2
    assert buyer.get("/api/cart")["items"] == []
    assert buyer.get(f"/api/orders/{order['id']}") == order
    assert buyer.get("/api/orders")["orders"][0]["id"] == order["id"]
    assert count(Mail, Mail.dedupe_key == f"order_paid:{order['id']}") == 1
    assert buyer.get("/api/notifications")["notifications"][0]["title"] == f"Your order {order['id']}"


def test_twenty_buyers_want_the_same_item_and_one_gets_it(new_buyer, new_item, item_row, gateway, count):
    item_id = new_item("30.00")
    buyers = [new_buyer() for _ in range(20)]
    for each in buyers:
        each.do("POST", "/api/cart/items", {"item_id": item_id}, 201)
    charged_before = gateway.ledger.balance()["charges"]

    def try_to_buy(buyer):
        return buyer.ask("POST", "/api/checkout", {"payment_source": "tok_visa"}, Idempotency_Key="mine").status_code

    with ThreadPoolExecutor(20) as threads:
        statuses = sorted(threads.map(try_to_buy, buyers))
    assert statuses == [201] + [409] * 19
    assert count(OrderItem, OrderItem.item_id == item_id) == 1
    assert gateway.ledger.balance()["charges"] == charged_before + 1
    assert item_row(item_id).status == ItemStatus.SOLD


def test_carts_that_overlap_in_opposite_order_do_not_lock_each_other_out(new_buyer, new_item, count):
    items = [new_item() for _ in range(6)]
    buyers = [new_buyer() for _ in range(8)]

    def try_to_buy(pair):
        number, buyer = pair
        wanted = items if number % 2 else items[::-1]
        for item_id in wanted[number % 3 : number % 3 + 3]:
            buyer.ask("POST", "/api/cart/items", {"item_id": item_id})
        return buyer.ask("POST", "/api/checkout", {"payment_source": "tok_visa"}, Idempotency_Key="x").status_code

    with ThreadPoolExecutor(8) as threads:
        statuses = list(threads.map(try_to_buy, enumerate(buyers)))
    assert set(statuses) <= {201, 409}
    assert all(count(OrderItem, OrderItem.item_id == item_id) <= 1 for item_id in items)
    assert 201 in statuses


def test_the_same_key_sent_ten_times_at_once_buys_once(buyer, new_item, gateway, count, meet):
    item_id = new_item("41.00")
    buyer.do("POST", "/api/cart/items", {"item_id": item_id}, 201)

    meet(routes, "place")

    def send(_):
        return buyer.ask("POST", "/api/checkout", {"payment_source": "tok_visa"}, Idempotency_Key="same")

    with ThreadPoolExecutor(10) as threads:
        answers = list(threads.map(send, range(10)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.data for answer in answers}) == 1
    order = answers[0].get_json()["order"]
    assert count(Order, Order.user_id == buyer.user["id"]) == 1
    assert [
        entry.kind
        for entry in gateway.ledger.listing(None, 0, 10_000)
        if entry.idempotency_key == f"order-{order['id']}"
    ] == ["charge"]


def test_the_same_cart_sent_under_two_keys_at_once_is_bought_once(buyer, new_item, count, meet):
    item_id = new_item("41.00")
    buyer.do("POST", "/api/cart/items", {"item_id": item_id}, 201)
    meet(routes, "place")

    def send(key):
        return buyer.ask("POST", "/api/checkout", {"payment_source": "tok_visa"}, Idempotency_Key=key).status_code

    with ThreadPoolExecutor(2) as threads:
        assert sorted(threads.map(send, ["one", "two"])) == [201, 409]
    assert count(OrderItem, OrderItem.item_id == item_id) == 1


def test_what_waits_for_its_payment_can_not_be_bought_a_second_time(buyer, new_item, app, app_without_gateway, count):
    item_id = new_item("15.00")
    buyer.app = app_without_gateway
    buyer.buy(item_id, key="first", status=503)
    buyer.app = app
    assert buyer.buy(item_id, key="second", status=409)["error"]["code"] == "item_unavailable"
    assert buyer.do("POST", "/api/checkout", {"payment_source": "tok_visa"}, 201, Idempotency_Key="first")
    assert count(OrderItem, OrderItem.item_id == item_id) == 1


def test_the_same_key_with_another_request_is_refused(buyer, new_item):
    buyer.buy(new_item(), key="once")
    answer = buyer.do("POST", "/api/checkout", {"payment_source": "tok_other"}, 409, Idempotency_Key="once")
    assert answer["error"]["code"] == "key_reused"


def test_a_key_is_needed_and_something_in_the_cart(buyer):
    missing = buyer.do("POST", "/api/checkout", {"payment_source": "tok_visa"}, 400)["error"]
    assert missing["field"] == "Idempotency-Key"
    empty = buyer.do("POST", "/api/checkout", {"payment_source": "tok_visa"}, 409, Idempotency_Key="e")["error"]
    assert empty["code"] == "cart_empty"


def test_a_declined_card_gives_everything_back(buyer, staff, new_item, item_row, shop, count):
    user_id, item_id = buyer.user["id"], new_item("60.00")
    staff.do("POST", f"/api/users/{user_id}/store-credit", {"amount": "10.00"}, 201)
    buyer.do("POST", "/api/cart/promotions", {"code": "welcome10"}, 201)
    answer = buyer.buy(item_id, key="d", source="tok_declined", status=402, use_store_credit=True)
    assert answer["error"]["code"] == "payment_declined"
    assert answer["order"]["status"] == "cancelled"
    assert answer["order"]["store_credit_used"] == "10.00"
    assert item_row(item_id).status == ItemStatus.LISTED
    assert buyer.get("/api/store-credit")["balance"] == "10.00"
    assert (
        count(PromotionRedemption, PromotionRedemption.user_id == user_id, PromotionRedemption.released_at.is_(None))
        == 0
    )
    again = buyer.do(
        "POST", "/api/checkout", {"payment_source": "tok_declined", "use_store_credit": True}, 402, Idempotency_Key="d"
    )
    assert again == answer
    # the code counts as not used
    buyer.do("POST", "/api/cart/promotions", {"code": "WELCOME10"}, 201)
    assert buyer.buy(item_id, key="d2")["order"]["discount"] == "6.00"


def test_a_silent_gateway_leaves_a_pending_order_that_the_same_key_finishes(
    buyer, new_item, item_row, app, app_without_gateway, gateway, count
):
    item_id = new_item("15.00")
    buyer.app = app_without_gateway
    error = buyer.buy(item_id, key="s", status=503)["error"]
    assert error["code"] == "payment_unknown"
    assert item_row(item_id).status == ItemStatus.RESERVED
    buyer.app = app
    order = buyer.do("POST", "/api/checkout", {"payment_source": "tok_visa"}, 201, Idempotency_Key="s")["order"]
    assert order["status"] == "paid"
    assert count(Order, Order.user_id == buyer.user["id"]) == 1
    assert item_row(item_id).status == ItemStatus.SOLD


def test_the_job_voids_a_pending_order_that_nobody_comes_back_for(buyer, new_item, item_row, app, app_without_gateway):
    item_id = new_item("15.00")
    buyer.app = app_without_gateway
    buyer.buy(item_id, key="v", status=503)
    buyer.app = app
    assert settle_pending(after_seconds=-5) >= 1
    assert item_row(item_id).status == ItemStatus.LISTED
    late = buyer.do("POST", "/api/checkout", {"payment_source": "tok_visa"}, 402, Idempotency_Key="v")
    assert late["order"]["status"] == "cancelled"


def test_store_credit_pays_first_and_alone_if_it_is_enough(buyer, staff, new_item, gateway):
    staff.do("POST", f"/api/users/{buyer.user['id']}/store-credit", {"amount": "100.00"}, 201)
    partly = buyer.buy(new_item("90.00"), key="1", use_store_credit=True)["order"]
    assert (partly["store_credit_used"], partly["payment"]) == ("90.00", None)
    rest = buyer.buy(new_item("30.00"), key="2", use_store_credit=True)["order"]
    assert (rest["store_credit_used"], rest["payment"]["amount"]) == ("10.00", "25.95")
    assert gateway.ledger.by_key(f"order-{rest['id']}").amount_cents == 2595
    entries = buyer.get("/api/store-credit")["entries"]
    assert [entry["amount"] for entry in entries] == ["-10.00", "-90.00", "100.00"]


def test_a_reservation_keeps_others_away_but_not_oneself(buyer, new_buyer, new_item):
    item_id, other = new_item(), new_buyer()
    other.do("POST", "/api/cart/items", {"item_id": item_id}, 201)
    buyer.do("POST", "/api/cart/items", {"item_id": item_id}, 201)
    assert buyer.do("POST", "/api/checkout/reservation", None, 201)["items"] == [item_id]
    assert buyer.get(f"/api/items/{item_id}")["availability"] == "reserved"
    gone = other.do("POST", "/api/checkout", {"payment_source": "tok_visa"}, 409, Idempotency_Key="o")["error"]
    assert gone["code"] == "item_unavailable"
    assert str(item_id) in gone["message"]
    assert other.get("/api/cart")["items"][0]["available"] is False
    assert buyer.buy(key="mine")["order"]["status"] == "paid"


def test_a_total_limit_holds_when_two_use_the_code_at_once(new_buyer, new_item, staff, shop, count, meet):
    code = {"code": "ONCE-9", "name": "one", "kind": "amount", "value": "5.00", "total_limit": 1}
    promotion = staff.do("POST", "/api/promotions", code, 201)
    buyers = [new_buyer() for _ in range(2)]
    for each in buyers:
        each.do("POST", "/api/cart/items", {"item_id": new_item()}, 201)
        each.do("POST", "/api/cart/promotions", {"code": "ONCE-9"}, 201)
    meet(placing, "apply_codes")

    def try_to_buy(buyer):
        return buyer.ask("POST", "/api/checkout", {"payment_source": "tok_visa"}, Idempotency_Key="p").status_code

    with ThreadPoolExecutor(2) as threads:
        statuses = sorted(threads.map(try_to_buy, buyers))
    assert statuses == [201, 409]
    row = shop.database.run(lambda session: session.get_one(Promotion, promotion["id"]))
    assert row.used_count == 1
    assert count(PromotionRedemption, PromotionRedemption.promotion_id == promotion["id"]) == 1


def test_the_quote_is_what_checkout_takes(buyer, new_item):
    for _ in range(2):
        buyer.do("POST", "/api/cart/items", {"item_id": new_item("33.33")}, 201)
    for code in ("SAVE5", "STACK15", "BIG50"):
        buyer.do("POST", "/api/cart/promotions", {"code": code}, 201)
    quote = buyer.do("POST", "/api/checkout/quote", {})
    assert [(each["code"], each["amount"]) for each in quote["discounts"]] == [("STACK15", "10.00"), ("SAVE5", "5.00")]
    assert [each["reason"] for each in quote["refused_codes"]] == ["min_spend"]
    refused = buyer.do("POST", "/api/checkout", {"payment_source": "tok_visa"}, 409, Idempotency_Key="q")["error"]
    assert refused["code"] == "code_refused"
    buyer.do("DELETE", "/api/cart/promotions/BIG50")
    changed = {"payment_source": "tok_visa", "expected_total": "1.00"}
    assert buyer.do("POST", "/api/checkout", changed, 409, Idempotency_Key="w")["error"]["code"] == "total_changed"
    order = buyer.buy(key="q2", expected_total=quote["total"])["order"]
    assert (order["total"], order["discount"]) == (quote["total"], "15.00")
    assert sum(float(item["discount"]) for item in order["items"]) == 15
