"""The background jobs on real tables and a real Redis."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from redis import Redis
from rq import Queue, SimpleWorker
from sqlalchemy import text

from legacy_monolith.catalog.vocabulary import ItemStatus
from legacy_monolith.clock import shop_now
from legacy_monolith.jobs.mailer import send_mail, send_queued
from legacy_monolith.jobs.markdown import mark_down
from legacy_monolith.jobs.queue import QUEUE_NAME, JobQueue
from legacy_monolith.jobs.reservations import expire_reservations
from legacy_monolith.jobs.worker import Clock
from legacy_monolith.models import JobRun, Mail, PriceChange

pytestmark = pytest.mark.real


def test_a_reservation_that_has_run_out_is_given_back_and_the_buyer_told(buyer, new_item, item_row, count):
    past = shop_now() - timedelta(minutes=1)
    mine = {"status": int(ItemStatus.RESERVED), "reserved_by": buyer.user["id"]}
    late, early = (
        new_item(reserved_until=past, **mine),
        new_item(reserved_until=shop_now() + timedelta(hours=1), **mine),
    )
    assert expire_reservations() >= 1
    assert (item_row(late).status, item_row(late).reserved_by) == (ItemStatus.LISTED, None)
    assert item_row(early).status == ItemStatus.RESERVED
    assert buyer.get("/api/notifications")["notifications"][0]["title"] == "Your reservation has run out"
    assert count(JobRun, JobRun.name == "expire_reservations") >= 1
    assert expire_reservations() == 0


def test_items_of_an_order_whose_payment_is_not_known_are_not_given_back(
    buyer, new_item, item_row, app_without_gateway, shop
):
    item_id = new_item()
    buyer.app = app_without_gateway
    buyer.buy(item_id, key="p", status=503)
    late = text("UPDATE items SET reserved_until = '2020-01-01' WHERE id = :id")
    shop.database.run(lambda session: session.execute(late, {"id": item_id}))
    expire_reservations()
    assert item_row(item_id).status == ItemStatus.RESERVED


def test_markdown_writes_straight_to_the_tables(new_item, item_row, shop, count):
    long_ago = shop_now() - timedelta(days=31)
    due, fresh = new_item("40.00", created_at=long_ago), new_item("40.00", created_at=shop_now())
    cheap = new_item("5.00", created_at=long_ago)
    floor = new_item("5.20", created_at=long_ago)
    thrice = new_item("40.00", created_at=long_ago, markdown_count=3)
    sold = new_item("40.00", created_at=long_ago, status=int(ItemStatus.SOLD))
    while mark_down():
        pass
    assert (item_row(due).price, item_row(due).markdown_count) == (Decimal("36.00"), 1)
    assert item_row(floor).price == Decimal("5.00")
    assert [item_row(each).price for each in (fresh, cheap, thrice, sold)] == [
        Decimal(price) for price in ("40.00", "5.00", "40.00", "40.00")
    ]
    assert count(PriceChange, PriceChange.item_id == due, PriceChange.new_price == Decimal("36.00")) == 1
    assert count(PriceChange, PriceChange.item_id == fresh) == 0
    assert mark_down() == 0


def test_a_sign_up_mail_goes_through_redis_to_the_worker(buyer, redis_url, shop, count):
    waiting = Mail.dedupe_key == f"welcome:{buyer.user['id']}"
    assert count(Mail, waiting, Mail.status == 0) == 1
    connection = Redis.from_url(redis_url)
    SimpleWorker([Queue(QUEUE_NAME, connection=connection)], connection=connection).work(
        burst=True, logging_level="ERROR"
    )
    assert count(Mail, waiting, Mail.status == 1) == 1
    mail_id = shop.database.run(lambda session: session.query(Mail.id).filter(waiting).scalar())
    assert send_mail(mail_id) is False


def test_the_sweep_finds_mails_that_redis_never_heard_of(new_buyer, app, shop, count, monkeypatch):
    away = JobQueue("redis://127.0.0.1:1/0")
    monkeypatch.setattr(shop.queue, "redis", away.redis)
    waiting = Mail.dedupe_key == f"welcome:{new_buyer().user['id']}"
    while send_queued():
        pass
    assert count(Mail, waiting, Mail.status == 1) == 1


def test_a_recurring_job_waits_in_the_queue_at_most_once(redis_url):
    connection = Redis.from_url(redis_url)
    queue = Queue(QUEUE_NAME, connection=connection)
    queue.empty()
    clock = Clock(connection, {expire_reservations: 1.0})
    for seconds in (10**9, 10**9 + 2, 10**9 + 4):
        clock.tick(seconds)
    assert queue.job_ids == ["recurring-expire_reservations"]
    SimpleWorker([queue], connection=connection).work(burst=True, logging_level="ERROR")
    clock.tick(10**9 + 6)
    assert len(queue) == 1
    queue.empty()
