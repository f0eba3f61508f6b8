"""A purchase that dies between two of its steps is carried on, by the same key or by the job, and money moves once."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from contracts.purchasing_people import Person, buyer, new_code, new_items, staff
from extracted.purchasing.app import create_app
from extracted.purchasing.checkout import purchase
from extracted.purchasing.jobs.pending_orders import finish_refunds, settle_pending
from extracted.purchasing.returns import refund
from extracted.purchasing.service import Service
from strangler.dev.ports import free_port

pytestmark = pytest.mark.real


class Died(BaseException):
    """The process, at a named point."""


@pytest.fixture
def dying(new_world: Any) -> Callable[[str], Any]:
    """``dying(point)``: the service over the same rows, as a process that dies there."""

    def make(point: str) -> Any:
        def at(reached: str) -> None:
            if reached == point:
                raise Died(point)

        return create_app(replace(new_world.service, at=at))

    return make


def charges(world: Any, order_id: int) -> list[tuple[str, int]]:
    return [
        (entry.status, entry.amount_cents)
        for entry in world.gateway.ledger.listing(None, 0, 10_000)
        if entry.idempotency_key == f"order-{order_id}"
    ]


def books_balance(world: Any, user_id: int) -> None:
    """The balance is what its bookings add up to, on the service's side."""
    ((balance,),) = world.sql(f"SELECT balance_cents FROM credit_balances WHERE user_id = {user_id}")
    ((booked,),) = world.sql(f"SELECT COALESCE(SUM(amount_cents), 0) FROM credit_entries WHERE user_id = {user_id}")
    assert balance == booked


@pytest.mark.parametrize("point", purchase.POINTS)
def test_the_same_key_carries_on_from_wherever_it_died(new_world: Any, dying: Callable[[str], Any], point: str) -> None:
    worker, person = staff(new_world.visitor()), buyer(new_world.visitor())
    new_world_gift(worker, person)
    (item,) = new_items(worker, "50.00")
    code = new_code(worker, kind="percent", value="10.00", per_user_limit=1)
    person.do("POST", "/api/cart/promotions", {"code": code}, 201)
    person.put_in(item)
    key, unlucky = secrets.token_hex(6), Person(new_world.visitor(dying(point)), person.token)
    with pytest.raises(Died):
        unlucky.pay(key, use_store_credit=True)
    order = person.pay(key, use_store_credit=True)["order"]
    assert (order["status"], order["total"], order["store_credit_used"]) == ("paid", "50.95", "5.00")
    assert charges(new_world, order["id"]) == [("captured", 4595)]
    assert [each["id"] for each in person.do("GET", "/api/orders")["orders"]] == [order["id"]]
    assert new_world.sql(f"SELECT availability FROM stock WHERE item_id = {item}") == [("sold",)]
    mails = f"SELECT COUNT(*) FROM outgoing_mails WHERE dedupe_key = 'order_paid:{order['id']}'"
    assert new_world.sql(mails) == [(1,)]
    assert new_world.sql(f"SELECT released_at FROM promotion_redemptions WHERE order_id = {order['id']}") == [(None,)]
    books_balance(new_world, person.account["id"])


def new_world_gift(worker: Person, person: Person) -> None:
    worker.do("POST", f"/api/users/{person.account['id']}/store-credit", {"amount": "5.00"}, 201)


@pytest.mark.parametrize(
    ("point", "source", "status"),
    [("placed", "tok_visa", "cancelled"), ("charged", "tok_visa", "paid"), ("charged", "tok_declined", "cancelled")],
)
def test_the_job_settles_or_gives_back_what_nobody_comes_back_for(
    new_world: Any, dying: Callable[[str], Any], point: str, source: str, status: str
) -> None:
    worker, person = staff(new_world.visitor()), buyer(new_world.visitor())
    new_world_gift(worker, person)
    (item,) = new_items(worker, "20.00")
    code = new_code(worker, kind="amount", value="1.00", total_limit=1)
    person.do("POST", "/api/cart/promotions", {"code": code}, 201)
    person.put_in(item)
    key, unlucky = secrets.token_hex(6), Person(new_world.visitor(dying(point)), person.token)
    with pytest.raises(Died):
        unlucky.pay(key, source=source, use_store_credit=True)
    assert settle_pending(new_world.service) == 0  # the request itself may still be at work
    assert settle_pending(new_world.service, after_seconds=-5) == 1
    assert settle_pending(new_world.service, after_seconds=-5) == 0
    answer = person.pay(key, 201 if status == "paid" else 402, source=source, use_store_credit=True)
    assert answer["order"]["status"] == status
    ((uses,),) = new_world.sql(
        f"SELECT used_count FROM promotion_uses JOIN promotions ON promotions.id = promotion_id WHERE code = '{code}'"
    )
    ((availability, kept_for),) = new_world.sql(f"SELECT availability, reserved_by FROM stock WHERE item_id = {item}")
    if status == "paid":
        assert (uses, availability, kept_for) == (1, "sold", person.account["id"])
    else:
        assert (uses, availability, kept_for) == (0, "listed", None)
        assert person.do("GET", "/api/store-credit")["balance"] == "5.00"
        assert [state for state, _ in charges(new_world, answer["order"]["id"])] != ["captured"]
    books_balance(new_world, person.account["id"])


def test_a_silent_gateway_leaves_a_pending_order_that_only_its_own_key_can_finish(new_world: Any) -> None:
    worker, person = staff(new_world.visitor()), buyer(new_world.visitor())
    (item,) = new_items(worker, "15.00")
    person.put_in(item)
    lonely = Service.open(replace(new_world.settings, gateway_url=f"http://127.0.0.1:{free_port()}"))
    waiting = Person(new_world.visitor(create_app(lonely)), person.token)
    assert waiting.pay("silent", 503)["error"]["code"] == "payment_unknown"
    person.put_in(item)
    assert person.pay("other", 409)["error"]["code"] == "item_unavailable"
    order = person.pay("silent")["order"]
    assert charges(new_world, order["id"]) == [("captured", 2095)]
    lonely.close()


@pytest.mark.parametrize("point", refund.POINTS)
@pytest.mark.parametrize("by", ["staff", "job"])
def test_a_refund_that_dies_gives_back_once(new_world: Any, dying: Callable[[str], Any], point: str, by: str) -> None:
    worker, person = staff(new_world.visitor()), buyer(new_world.visitor())
    order = person.buy(*new_items(worker, "20.00"))
    wish = {"order_id": order["id"], "order_items": [order["items"][0]["id"]], "reason": "r"}
    asked = person.do("POST", "/api/returns", wish, 201)["id"]
    worker.do("POST", f"/api/returns/{asked}/receive")
    with pytest.raises(Died):
        Person(new_world.visitor(dying(point)), worker.token).do("POST", f"/api/returns/{asked}/refund")
    if by == "staff":
        worker.do("POST", f"/api/returns/{asked}/refund")
    else:
        assert finish_refunds(new_world.service, after_seconds=-5) == (0 if point == "refund_finished" else 1)
    given = new_world.gateway.ledger.listing("refund", 0, 10_000)
    assert [entry.amount_cents for entry in given if entry.idempotency_key == f"return-{asked}"] == [2000]
    assert person.do("GET", f"/api/returns/{asked}")["status"] == "refunded"


def test_ten_buyers_want_the_same_item_and_one_gets_it(new_world: Any) -> None:
    worker = staff(new_world.visitor())
    (item,) = new_items(worker, "30.00")
    people = [buyer(new_world.visitor()) for _ in range(10)]
    for person in people:
        person.put_in(item)

    def pay(person: Person) -> int:
        body = {"payment_source": "tok_visa"}
        return person.ask("POST", "/api/checkout", body, Idempotency_Key="mine").status

    before = new_world.gateway.ledger.balance()["charges"]
    with ThreadPoolExecutor(10) as threads:
        assert sorted(threads.map(pay, people)) == [201] + [409] * 9
    assert new_world.gateway.ledger.balance()["charges"] == before + 1


def test_the_same_key_sent_eight_times_at_once_buys_once(new_world: Any) -> None:
    worker, person = staff(new_world.visitor()), buyer(new_world.visitor())
    person.put_in(*new_items(worker, "41.00"))

    def pay(_: int) -> tuple[int, bytes]:
        answer = Person(new_world.visitor(), person.token).ask(
            "POST", "/api/checkout", {"payment_source": "tok_visa"}, Idempotency_Key="same"
        )
        return answer.status, answer.body

    with ThreadPoolExecutor(8) as threads:
        answers = set(threads.map(pay, range(8)))
    assert [status for status, _ in answers] == [201]
    assert len(person.do("GET", "/api/orders")["orders"]) == 1
