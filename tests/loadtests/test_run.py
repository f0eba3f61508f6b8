from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from loadtests import ledger, writes
from loadtests.run import Plan, held, main, run_load

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def finished(running_shop: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, dict[str, Any]]]:
    """One short, busy run against the monolith alone, with its ledger checked."""
    out = tmp_path_factory.mktemp("load") / "run"
    plan = Plan(
        "shop",
        running_shop.url,
        users=6,
        seconds=8,
        out=out,
        wait_seconds=0.05,
        ledger_db=running_shop.database_url,
        ledger_gateway=running_shop.gateway_url,
    )
    yield out, run_load(plan)


@pytest.mark.real
def test_shoppers_do_all_that_people_do_without_an_error(finished: tuple[Path, dict[str, Any]]) -> None:
    out, result = finished
    assert held(result), result
    assert result == json.loads((out / "result.json").read_text())
    assert (result["errors"], result["lost"], result["doubled"]) == (0, 0, 0)
    assert result["acknowledged"] == result["found"]
    assert result["by_side"] == {"-": result["requests"]}
    routes = set(result["by_route"])
    assert {"POST /api/signup", "GET /api/items", "GET /api/items/{id}", "POST /api/checkout"} <= routes
    kinds = Counter(write.kind for write in writes.read(out) if write.acknowledged)
    assert {"signup", "session", "address", "like", "cart_put", "order"} <= set(kinds)
    assert result["kinds"]["charge"]["found"] > 0


@pytest.mark.real
@pytest.mark.parametrize(
    ("kind", "sabotage"),
    [
        ("order", "UPDATE idempotency_keys SET order_id = NULL WHERE order_id = {entity}"),
        ("like", "DELETE FROM favourites WHERE user_id = {user} AND item_id = {entity}"),
        ("address", "UPDATE addresses SET line1 = 'elsewhere' WHERE id = {entity}"),
        ("session", "UPDATE sessions SET token_hash = REVERSE(token_hash) WHERE token_hash = '{entity}'"),
    ],
)
def test_a_write_that_vanishes_from_the_database_is_lost(
    finished: tuple[Path, dict[str, Any]], running_shop: Any, kind: str, sabotage: str
) -> None:
    out, result = finished
    # the last one: nothing after it has changed the same row
    write = [write for write in writes.read(out) if write.kind == kind and write.acknowledged][-1]
    undone = {("like", other.key) for other in writes.read(out) if other.kind == "unlike"}
    if (kind, write.key) in undone:
        write = next(w for w in writes.read(out) if w.kind == "like" and ("like", w.key) not in undone)
    with running_shop.engine.connect() as connection:
        rows = connection.exec_driver_sql(sabotage.format(entity=write.entity, user=write.user)).rowcount
        assert rows == 1
        # uncommitted: the check reads through a connection of its own that sees the same transaction
        found = ledger.compare(list(writes.read(out)), _held(connection, out))
        connection.rollback()
    assert (found.lost, found.doubled) == (1, 0), found.examples
    assert found.kinds[kind].lost == 1
    assert found.acknowledged + found.uncertain >= result["acknowledged"] - result["kinds"]["charge"]["found"]


@pytest.mark.real
def test_an_item_that_is_sold_twice_is_doubled(finished: tuple[Path, dict[str, Any]], running_shop: Any) -> None:
    out, _ = finished
    write = next(write for write in writes.read(out) if write.kind == "order" and write.data.get("status") == "paid")
    with running_shop.engine.connect() as connection:
        connection.exec_driver_sql(
            "INSERT INTO order_items (order_id, item_id, title, price, discount, status, created_at, updated_at) "
            "SELECT (SELECT MIN(id) FROM orders WHERE status = 1), item_id, title, price, discount, 0, created_at, "
            f"updated_at FROM order_items WHERE order_id = {write.entity} LIMIT 1"
        )
        found = ledger.compare(list(writes.read(out)), _held(connection, out))
        connection.rollback()
    assert (found.lost, found.doubled) == (0, 1), found.examples


def _held(connection: Any, out: Path) -> Any:
    """What the owner holds inside ``connection``'s transaction; charges are not looked at."""
    from loadtests import owner

    noted = list(writes.read(out))
    holdings = owner.Holdings()
    owner.read_database(connection, holdings, ledger.wanted(noted))
    for write in noted:
        if write.kind == "order" and write.data.get("status") == "paid" and write.data["charge"]:
            charge = write.data["charge"]
            cents = round(float(charge["amount"]) * 100)
            key = f"order-{write.entity}"
            holdings.charges[key].append(owner.Charge(charge["charge_id"], key, cents))
    return holdings


@pytest.mark.real
def test_the_command_ends_in_order_when_it_is_told_to(running_shop: Any, tmp_path: Path) -> None:
    out = tmp_path / "run"
    command = [sys.executable, "-m", "loadtests.run", "shop", "--host", running_shop.url, "--users", "4"]
    command += ["--seconds", "300", "--out", str(out), "--wait", "0.05", "--json"]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 60
    while not (out / "ledger.jsonl").exists() or (out / "ledger.jsonl").stat().st_size < 2_000:
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.1)
    process.send_signal(signal.SIGTERM)
    printed, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    result = json.loads(printed)
    assert result["errors"] == 0
    assert result["requests"] > 0
    found = ledger.check(out, running_shop.database_url, running_shop.gateway_url)
    assert (found.lost, found.doubled) == (0, 0), found.examples
    assert found.acknowledged >= result["acknowledged"] > 0


@pytest.mark.real
def test_flips_go_on_beside_the_traffic(running_shop: Any, tmp_path: Path) -> None:
    percents: list[float] = []

    def hook(percent: float) -> int:
        percents.append(percent)
        return len(percents)

    plan = Plan("flip", running_shop.url, 3, 5, tmp_path / "run", 0.1, hook=hook, hook_every_seconds=1.0)
    result = run_load(plan)
    assert held(result), result
    assert result["flips"] == len(percents) >= 2
    assert percents[:2] == [10.0, 40.0]


@pytest.mark.real
def test_a_failed_flip_ends_the_run_and_fails_it(running_shop: Any, tmp_path: Path) -> None:
    command = ["flip", "--host", running_shop.url, "--users", "2", "--seconds", "60", "--out", str(tmp_path / "run")]
    assert main([*command, "--hook", "false {percent}", "--hook-every", "3", "--json"]) == 1
    result = json.loads((tmp_path / "run" / "result.json").read_text())
    assert "false 10 ended with 1" in result["flip_failed"]


@pytest.mark.real
def test_a_host_that_is_not_there_is_errors_and_not_silence(tmp_path: Path) -> None:
    from strangler.dev.ports import free_port

    host = f"http://127.0.0.1:{free_port()}"
    result = run_load(Plan("shop", host, users=2, seconds=3, out=tmp_path / "run", wait_seconds=0.1))
    assert result["errors"] == result["requests"] > 0
    assert not held(result)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--host", "http://10.1.2.3"], "load goes to this machine only"),
        (["--host", "http://127.0.0.1:9", "--users", "501"], "--users must be from 1 to 500"),
        (["--host", "http://127.0.0.1:9", "--seconds", "99999"], "--seconds must be from 1 to 3600"),
        (["--host", "http://127.0.0.1:9", "--wait", "0"], "--wait must be 0.01 seconds or more"),
        (["--host", "http://127.0.0.1:9", "--hook", "x {percent}"], "only it takes one"),
        (["--host", "http://127.0.0.1:9", "--hook", "x"], "no {percent} in it"),
    ],
)
def test_wrong_usage_is_exit_2(
    arguments: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["shop", "--out", str(tmp_path / "run"), *arguments]) == 2
    assert said in capsys.readouterr().err


def test_a_used_folder_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "responses.tsv").touch()
    assert main(["shop", "--out", str(tmp_path), "--host", "http://127.0.0.1:9"]) == 2
    assert "holds the records of another run" in capsys.readouterr().err
