"""Deadlocks are tried again; settings are checked."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from legacy_monolith.database import Busy
from legacy_monolith.settings import Settings, SettingsError


@pytest.mark.real
def test_a_deadlock_is_tried_again_until_both_have_gone_through(shop, new_item):
    pair = [new_item("10.00"), new_item("10.00")]
    meet, tries = threading.Barrier(2), []

    def add_to_both(order):
        def work(session):
            tries.append(order)
            for place, item_id in enumerate(order):
                session.execute(text("UPDATE items SET price = price + 1 WHERE id = :id"), {"id": item_id})
                if place == 0 and tries.count(order) == 1:
                    meet.wait(10)

        shop.database.run(work)

    threads = [threading.Thread(target=add_to_both, args=(order,)) for order in (tuple(pair), tuple(pair[::-1]))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(tries) >= 3
    prices = text("SELECT price FROM items WHERE id IN (:a, :b)")
    found = shop.database.run(lambda session: session.scalars(prices, {"a": pair[0], "b": pair[1]}).all())
    assert [float(price) for price in found] == [12.0, 12.0]


@pytest.mark.real
def test_endless_deadlocks_end_in_busy(shop):
    calls = []

    def work(session):
        calls.append(1)
        raise OperationalError("x", {}, Exception(1213, "Deadlock found"))

    with pytest.raises(Busy):
        shop.database.run(work, attempts=3)
    assert len(calls) == 3


@pytest.mark.parametrize(
    ("environment", "named"),
    [
        ({}, "DATABASE_URL"),
        ({"DATABASE_URL": "postgres://x"}, "DATABASE_URL"),
        ({"DATABASE_URL": "mysql://u:p@h/d"}, "REDIS_URL"),
        ({"DATABASE_URL": "mysql://u:p@h/d", "REDIS_URL": "redis://h"}, "PAYMENT_GATEWAY_URL"),
        (
            {
                "DATABASE_URL": "mysql://u:p@h/d",
                "REDIS_URL": "redis://h",
                "PAYMENT_GATEWAY_URL": "http://h",
                "RESERVATION_MINUTES": "soon",
            },
            "RESERVATION_MINUTES",
        ),
    ],
)
def test_a_missing_or_wrong_variable_is_named(environment, named):
    with pytest.raises(SettingsError, match=named):
        Settings.from_environment(environment)


def test_both_spellings_of_the_database_url_work():
    given = {"DATABASE_URL": "mysql://u:p@h/d", "REDIS_URL": "redis://h", "PAYMENT_GATEWAY_URL": "http://h/"}
    assert Settings.from_environment(given).database_url == "mysql+pymysql://u:p@h/d"
    assert Settings.from_environment(given).gateway_url == "http://h"
