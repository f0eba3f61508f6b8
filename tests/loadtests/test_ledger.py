from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from loadtests.ledger import Ledger, compare, main, text, wanted
from loadtests.owner import Charge, Holdings, Order
from loadtests.writes import Write, WriteBook, read

PAID = {"status": "paid", "total": "30.00", "items": [7, 8], "charge": {"charge_id": "ch_1", "amount": "30.00"}}
DECLINED = {"status": "cancelled", "total": "30.00", "items": [7], "charge": {"charge_id": None, "amount": "30.00"}}


def wrote(kind: str, key: str, entity: str = "", acknowledged: bool = True, **data: Any) -> Write:
    return Write(0, kind, 5, key, entity, acknowledged, data)


def holding(**parts: Any) -> Holdings:
    """Everything that the writes below say, unless a part says otherwise."""
    holdings = Holdings()
    holdings.users["a@shop.test"] = [5]
    holdings.sessions["hash"] = 1
    holdings.addresses["5 Load Street"] = 1
    holdings.favourites["5-7"] = 1
    holdings.order_of_key["key-1"] = [3]
    holdings.orders[3] = Order(5, 1, "30.00", (7, 8))
    holdings.sold.update({7: 1, 8: 1})
    holdings.charges["order-3"] = [Charge("ch_1", "order-3", 3000)]
    for name, value in parts.items():
        setattr(holdings, name, value)
    return holdings


WRITES = [
    wrote("signup", "a@shop.test", "5"),
    wrote("session", "session-1", "hash"),
    wrote("address", "5 Load Street", "9"),
    wrote("like", "5-7", "7"),
    wrote("like", "5-8", "8"),
    wrote("unlike", "5-8", "8"),
    wrote("cart_put", "5-7", "7"),
    wrote("cart_put", "5-8", "8"),
    wrote("order", "key-1", "3", **PAID),
]


def numbers(ledger: Ledger) -> tuple[int, int, int, int]:
    return ledger.acknowledged, ledger.found, ledger.lost, ledger.doubled


def only(ledger: Ledger) -> str:
    """The one kind of write that is lost or doubled."""
    (kind,) = [kind for kind, tally in ledger.kinds.items() if tally.lost or tally.doubled]
    return kind


def test_all_there_once() -> None:
    ledger = compare(WRITES, holding())
    assert numbers(ledger) == (10, 10, 0, 0)  # nine writes and a charge
    assert ledger.ok


@pytest.mark.parametrize(
    ("part", "value", "kind"),
    [
        ("users", {}, "signup"),
        ("users", {"a@shop.test": [6]}, "signup"),
        ("sessions", Counter(), "session"),
        ("addresses", Counter(), "address"),
        ("favourites", Counter(), "like"),
        ("order_of_key", {}, "order"),
        ("order_of_key", {"key-1": [4]}, "order"),
        ("orders", {}, "order"),
        ("orders", {3: Order(6, 1, "30.00", (7, 8))}, "order"),
        ("orders", {3: Order(5, 4, "30.00", (7, 8))}, "order"),
        ("orders", {3: Order(5, 1, "29.99", (7, 8))}, "order"),
        ("orders", {3: Order(5, 1, "30.00", (7,))}, "order"),
        ("charges", {}, "charge"),
        ("charges", {"order-3": [Charge("ch_1", "order-3", 2999)]}, "charge"),
    ],
)
def test_a_planted_loss_is_found(part: str, value: Any, kind: str) -> None:
    ledger = compare(WRITES, holding(**{part: value}))
    assert numbers(ledger) == (10, 9, 1, 0)
    assert only(ledger) == kind
    assert ledger.examples[0].startswith(f"{kind} lost: ")


@pytest.mark.parametrize(
    ("part", "value", "kind"),
    [
        ("users", {"a@shop.test": [5, 6]}, "signup"),
        ("addresses", Counter({"5 Load Street": 2}), "address"),
        ("favourites", Counter({"5-7": 2}), "like"),
        ("order_of_key", {"key-1": [3, 4]}, "order"),
        ("orders", {3: Order(5, 1, "30.00", (7, 8, 8))}, "order"),
        ("sold", Counter({7: 2, 8: 1}), "order"),
        ("charges", {"order-3": [Charge("ch_1", "order-3", 3000), Charge("ch_2", "order-3", 3000)]}, "charge"),
    ],
)
def test_a_planted_double_is_found(part: str, value: Any, kind: str) -> None:
    ledger = compare(WRITES, holding(**{part: value}))
    assert numbers(ledger) == (10, 9, 0, 1)
    assert only(ledger) == kind
    assert ledger.examples[0].startswith(f"{kind} doubled: ")


def test_an_unlike_that_did_not_last_is_lost_once() -> None:
    ledger = compare(WRITES, holding(favourites=Counter({"5-7": 1, "5-8": 1})))
    assert numbers(ledger) == (10, 9, 1, 0)
    assert only(ledger) == "unlike"


def test_a_cart_that_an_order_did_not_empty_is_noticed() -> None:
    ledger = compare(WRITES, holding(cart=Counter({"5-8": 1})))
    assert (ledger.lost, only(ledger)) == (1, "cart_put")


def test_a_declined_card_is_an_order_without_a_charge() -> None:
    writes = [wrote("order", "key-1", "3", **DECLINED)]
    cancelled = holding(orders={3: Order(5, 4, "30.00", (7,))}, charges={})
    assert numbers(compare(writes, cancelled)) == (1, 1, 0, 0)
    cancelled.charges["order-3"] = [Charge("ch_1", "order-3", 3000)]
    assert only(compare(writes, cancelled)) == "charge"


def test_what_got_no_answer_may_be_there_or_not_but_not_twice() -> None:
    unsure = [
        wrote("cart_put", "5-7", "7"),
        wrote("order", "key-1", "", acknowledged=False),
        wrote("like", "5-7", "7", acknowledged=False),
    ]
    for cart in ({}, {"5-7": 1}):
        ledger = compare(unsure, holding(cart=Counter(cart)))
        assert (numbers(ledger), ledger.uncertain) == ((1, 1, 0, 0), 2)
    assert compare(unsure, holding(order_of_key={"key-1": [3, 4]})).doubled == 1


def test_without_a_gateway_charges_are_not_counted() -> None:
    assert numbers(compare(WRITES, holding(charges={}), with_charges=False)) == (9, 9, 0, 0)


def test_what_has_to_be_looked_up() -> None:
    found = wanted(WRITES)
    assert (found.emails, found.users, found.token_hashes, found.items) == (["a@shop.test"], [5], ["hash"], [7, 8])


def test_the_table_for_a_person() -> None:
    said = text(compare(WRITES, holding(charges={}))).splitlines()
    assert said[0].startswith("charge lost: of order 3 (user 5): acknowledged")
    assert said[-1].split() == ["all", "10", "9", "1", "0", "(0", "more", "got", "no", "answer)"]


def test_the_book_keeps_what_was_noted_and_forgives_a_cut_last_line(tmp_path: Path) -> None:
    book = WriteBook(tmp_path)
    for write in WRITES:
        book.note(write)
    assert list(read(tmp_path)) == WRITES  # before any sync or close
    book.close()
    with (tmp_path / "ledger.jsonl").open("a") as file:
        file.write('{"at_ms":1,"ki')
    assert list(read(tmp_path)) == WRITES
    with (tmp_path / "ledger.jsonl").open("a") as file:
        file.write("\n")
    with pytest.raises(ValueError, match=r"ledger.jsonl:10: not a write"):
        list(read(tmp_path))


def test_wrong_usage(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path), "--legacy-db", "mysql://u:p@127.0.0.1:1/shop"]) == 2
    assert "ledger.jsonl" in capsys.readouterr().err
    WriteBook(tmp_path).close()
    assert main([str(tmp_path), "--legacy-db", "postgres://u:secret@127.0.0.1:1/shop"]) == 1
    said = capsys.readouterr().err
    assert "mysql://user:password@host:port/schema" in said
    assert "secret" not in said
    assert main([str(tmp_path), "--legacy-db", "mysql://u:secret@127.0.0.1:1/shop"]) == 1
    said = capsys.readouterr().err
    assert "the legacy database can't be read" in said
    assert "secret" not in said
