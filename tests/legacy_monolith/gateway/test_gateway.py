"""The payment gateway: each key counts once, and what was answered is on disk."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from legacy_monolith.gateway.app import create_gateway
from legacy_monolith.gateway.ledger import KeyReused, Ledger, TooMuch, UnknownCharge


@pytest.fixture
def ledger(tmp_path):
    return Ledger(tmp_path / "ledger.db")


@pytest.fixture
def client(ledger):
    return create_gateway(ledger).test_client()


def post(client, path, key="k", **body):
    return client.post(path, json=body, headers={"Idempotency-Key": key})


def test_a_charge_counts_once_per_key(client, ledger):
    first = post(client, "/charges", amount_cents=1250, source="tok_visa")
    second = post(client, "/charges", amount_cents=1250, source="tok_visa")
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.get_json() == second.get_json()
    assert post(client, "/charges", amount_cents=1, source="tok_visa").status_code == 409
    assert ledger.balance() == {"charges": 1, "refunds": 0, "charged_cents": 1250, "refunded_cents": 0}


def test_the_same_key_from_many_threads_is_one_charge(ledger):
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda _: ledger.charge("key", 500, "tok_visa"), range(40)))
    assert len({entry.id for entry, _ in found}) == 1
    assert [new for _, new in found].count(True) == 1


def test_a_declined_card(client):
    answer = post(client, "/charges", amount_cents=1250, source="tok_declined")
    assert (answer.status_code, answer.get_json()["reason"]) == (402, "card declined")


def test_what_was_answered_is_there_after_a_restart(ledger, tmp_path):
    entry, _ = ledger.charge("key", 500, "tok_visa")
    again = Ledger(tmp_path / "ledger.db")
    assert again.by_key("key") == entry
    assert again.charge("key", 500, "tok_visa") == (entry, False)


def test_refunds_never_exceed_the_charge(ledger):
    charge, _ = ledger.charge("key", 500, "tok_visa")
    refund, new = ledger.refund(charge.id, "r1", 300)
    assert new and ledger.refund(charge.id, "r1", 300) == (refund, False)
    with pytest.raises(TooMuch):
        ledger.refund(charge.id, "r2", 201)
    with pytest.raises(KeyReused):
        ledger.refund(charge.id, "r1", 200)
    with pytest.raises(UnknownCharge):
        ledger.refund("ch_nowhere", "r3", 1)
    assert ledger.refund(charge.id, "r2", 200)[1]


def test_a_voided_key_can_not_be_charged_and_a_charged_one_not_voided(client):
    assert post(client, "/charges/void", "v").get_json() == {"charge": None}
    late = post(client, "/charges", "v", amount_cents=100, source="tok_visa")
    assert (late.status_code, late.get_json()["reason"]) == (402, "voided")
    charged = post(client, "/charges", "c", amount_cents=100, source="tok_visa").get_json()
    assert post(client, "/charges/void", "c").get_json() == {"charge": charged}


def test_the_listing_goes_on_where_it_ended(client, ledger):
    for number in range(5):
        ledger.charge(str(number), 100 + number, "tok_visa")
    first = client.get("/ledger?limit=3&kind=charge").get_json()
    rest = client.get(f"/ledger?limit=3&kind=charge&after={first['next']}").get_json()
    assert [entry["amount_cents"] for entry in first["entries"] + rest["entries"]] == [100, 101, 102, 103, 104]
    assert client.get("/ledger?after=99").get_json() == {"entries": [], "next": None}


@pytest.mark.parametrize(
    "body", [{}, {"amount_cents": 0, "source": "t"}, {"amount_cents": "1", "source": "t"}, {"amount_cents": 5}]
)
def test_bad_requests_say_what_is_wrong(client, body):
    answer = post(client, "/charges", **body)
    assert answer.status_code == 400 and answer.get_json()["error"]
    assert client.post("/charges", json={"amount_cents": 5, "source": "t"}).status_code == 400
