"""The jobs, while this side owns: reservations run out, and whoever waits for them is told."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from contracts.purchasing_people import buyer, new_items, staff
from extracted.purchasing.jobs.reservations import expire_reservations
from extracted.purchasing.jobs.worker import Recurring
from extracted.purchasing.jobs.worker import main as worker_main

ROOT = Path(__file__).parents[3]


@pytest.mark.real
def test_a_reservation_that_has_run_out_is_listed_again_and_its_buyer_told(new_world: Any) -> None:
    worker, person = staff(new_world.visitor()), buyer(new_world.visitor())
    late, kept = new_items(worker, "10.00", "20.00")
    person.put_in(late, kept)
    person.do("POST", "/api/checkout/reservation", None, 201)
    new_world.sql(f"UPDATE stock SET reserved_until = '2020-01-01 08:00:00' WHERE item_id = {late}")
    assert expire_reservations(new_world.service) == 1
    assert expire_reservations(new_world.service) == 0
    states = new_world.sql(f"SELECT availability FROM stock WHERE item_id IN ({late}, {kept}) ORDER BY item_id")
    assert states == [("listed",), ("reserved",)]
    key = f"reservation_expired:{late}:{person.account['id']}:20200101000000"  # the monolith's own word for it
    found = new_world.sql(f"SELECT subject, body FROM outgoing_mails WHERE dedupe_key = '{key}'")
    assert found == [
        ("Your reservation has run out", "Hello Con Tract,\n\nwe could keep Plain shirt for you no longer.\n")
    ]


def test_a_job_runs_when_it_is_due() -> None:
    ran: list[float] = []
    job = Recurring(lambda service: ran.append(0.0) or 0, 5.0)  # type: ignore[arg-type, func-returns-value]
    for now in (0.0, 1.0, 4.9, 5.0, 6.0, 10.1):
        job.tick(None, now)  # type: ignore[arg-type]
    assert len(ran) == 3


@pytest.mark.real
def test_the_worker_works_and_stops_when_it_is_told_to(new_world: Any) -> None:
    worker, person = staff(new_world.visitor()), buyer(new_world.visitor())
    (late,) = new_items(worker, "10.00")
    person.put_in(late)
    person.do("POST", "/api/checkout/reservation", None, 201)
    new_world.sql(f"UPDATE stock SET reserved_until = '2020-01-01 08:00:00' WHERE item_id = {late}")
    environment = {
        **os.environ,
        "DATABASE_URL": new_world.settings.database_url,
        "SHOP_URL": new_world.monolith_url,
        "PAYMENT_GATEWAY_URL": new_world.gateway.url,
    }
    command = [sys.executable, "-m", "extracted.purchasing.jobs.worker"]
    with subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if "expire_reservations:" in line:
                break
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
    assert new_world.sql(f"SELECT availability FROM stock WHERE item_id = {late}") == [("listed",)]


def test_a_missing_address_is_named(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("DATABASE_URL", "mysql://u@127.0.0.1/x")
    monkeypatch.delenv("SHOP_URL", raising=False)
    assert worker_main() == 2
    assert capsys.readouterr().err == "error: SHOP_URL is not set, for example SHOP_URL=http://127.0.0.1:8000\n"
