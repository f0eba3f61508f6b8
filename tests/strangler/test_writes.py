"""Write ownership to new and back, under load, on real MySQL, Envoy and Debezium: invariants 13 and 15-18."""

from __future__ import annotations

import signal
import sys
import time
from contextlib import closing

import pymysql
import pytest

from cdc.session import open_session
from strangler.dev.ports import free_port
from tests.strangler.payers import Payers, look_up

pytestmark = [pytest.mark.real, pytest.mark.timeout(600)]

PROJECT = """
[project]
name = "till"
[databases.old]
url = "{old}"
[databases.new]
url = "{new}"
[legacy]
url = "{legacy_url}"
database = "old"
[capability.till]
url = "{new_url}"
database = "new"
routes = ["GET /api/payments/{{key}}", "POST /api/payments"]
[capability.till.tables.payments]
from = "payments"
key = {{ legacy_id = "id" }}
[capability.till.tables.payments.columns]
idem = "idem"
cents = "CAST(ROUND(amount * 100) AS SIGNED)"
state = "ELT(status + 1, 'new', 'done')"
[capability.till.tables.payments.back]
id = "legacy_id"
idem = "idem"
amount = "CAST(cents / 100 AS DECIMAL(10,2))"
status = "FIELD(state, 'new', 'done') - 1"
[capability.till.synced]
timeout_minutes = 5.0
[capability.till.cutover]
hold_budget_ms = 20000
"""
LEGACY = (
    "CREATE TABLE payments (id INT PRIMARY KEY AUTO_INCREMENT, idem VARCHAR(60) NOT NULL UNIQUE,"
    " amount DECIMAL(10,2) NOT NULL, status SMALLINT NOT NULL, note VARCHAR(40) NULL)"
)
NEW = (
    "CREATE TABLE payments (legacy_id INT PRIMARY KEY AUTO_INCREMENT, idem VARCHAR(60) NOT NULL UNIQUE,"
    " cents BIGINT NOT NULL, state VARCHAR(10) NOT NULL, receipt VARCHAR(40) NULL)"
)
EVERY = {"old": "SELECT idem, CAST(amount * 100 AS SIGNED) FROM payments", "new": "SELECT idem, cents FROM payments"}
STEPS = ["preflight", "hold", "drain", "ownership, {0}", "caught up", "delta check", "journal", "ownership, {1}"]
STEPS += ["way back", "release"]


def sql(database, *statements: str) -> None:
    with closing(open_session(database)) as session, session.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
        session.commit()


@pytest.fixture(scope="module")
def databases(mysql_legacy, mysql_new):
    old, new = mysql_legacy.create_schema("till_old"), mysql_new.create_schema("till_new")
    rows = ", ".join(f"('seed-{n}', {n}.25, {n % 2}, 'kept {n}')" for n in range(300))
    sql(old, LEGACY, f"INSERT INTO payments (idem, amount, status, note) VALUES {rows}")
    sql(new, NEW)
    yield old, new
    mysql_legacy.drop_schema("till_old")
    mysql_new.drop_schema("till_new")


@pytest.fixture(scope="module")
def stack(make_stack, databases):
    old, new = databases
    ports = free_port(), free_port()
    urls = [f"http://127.0.0.1:{port}" for port in ports]
    stack = make_stack(PROJECT.format(old=old.url, new=new.url, legacy_url=urls[0], new_url=urls[1]))
    for side, port, database in (("legacy", ports[0], old), ("new", ports[1], new)):
        stack.start(side, sys.executable, "-m", "tests.strangler.till", side, str(port), database.url)
        stack.await_ok(side, f"http://127.0.0.1:{port}/health")
    stack.start_control()
    stack.start_envoy()
    stack.start("stream", sys.executable, "-m", "strangler.streams", "till")
    stack.start("back", sys.executable, "-m", "strangler.streams", "till", "--back")
    for to in ("synced", "canary", "reads"):
        done = stack.strangler("advance", "till", "--to", to, "--reason", "on")
        assert done.exit == 0, (done.out[-3000:], done.err)
    return stack


def status(stack) -> dict:
    return stack.strangler("status", "till", "--json").json["capabilities"][0]


def every_payment_is_there(stack, databases, payers: Payers) -> None:
    """On both sides, once each, with the right amount."""
    equal = stack.strangler("verify", "till", "--json")
    assert equal.exit == 0, equal.out[-1500:]
    for name, database in zip(("old", "new"), databases, strict=True):
        found = look_up(database, EVERY[name], payers.acknowledged)
        assert (found.lost, found.doubled, found.wrong) == ([], [], []), name


def test_a_dry_run_says_the_steps_and_changes_nothing(stack) -> None:
    ran = stack.strangler("advance", "till", "--to", "writes", "--dry-run")
    assert ran.exit == 0, ran
    assert "hold: 1 write route waits at every proxy" in ran.out
    assert "nothing was changed" in ran.out
    assert status(stack)["owner"] == "legacy"


def test_writes_move_to_new_and_back_under_load(stack, databases) -> None:
    old, new = databases
    payers = Payers(stack.ports.envoy.listen)
    payers.start(6)
    try:
        time.sleep(0.5)
        for kind, to, sides in (
            ("advance", "writes", ("legacy", "new")),
            ("rollback", "reads", ("new", "legacy")),
            ("advance", "writes", ("legacy", "new")),
        ):
            done = stack.strangler(kind, "till", "--to", to, "--reason", "planned", "--json")
            assert done.exit == 0, done.out
            names = [step["name"] for step in done.json["steps"] if step["name"] != "phase"]
            assert names == [name.format(*sides) for name in STEPS]
            assert done.json["fence"]
            assert done.json["held_requests"] > 0
            assert done.json["hold_ms_max"] > 0
            assert status(stack)["owner"] == sides[1]
            time.sleep(0.5)
    finally:
        payers.stop()
    assert payers.failed == []
    assert set(payers.by_side) == {"legacy", "new"}
    every_payment_is_there(stack, databases, payers)
    sql(new, "UPDATE payments SET receipt = 'r' WHERE idem = 'seed-7'")
    with closing(open_session(old)) as session, session.cursor() as cursor:
        cursor.execute("SELECT note FROM payments WHERE idem = 'seed-7'")
        assert cursor.fetchone() == ("kept 7",), "what only legacy has survives the way back"


def test_a_direct_write_to_what_the_other_side_owns_names_the_owner(stack, databases) -> None:
    assert status(stack)["owner"] == "new"
    with pytest.raises(pymysql.err.MySQLError, match="belongs to new"):
        sql(databases[0], "UPDATE payments SET amount = 0 WHERE idem = 'seed-1'")


@pytest.mark.parametrize("name", ["hold", "ownership, new", "caught up", "ownership, legacy"])
def test_killed_in_the_middle_the_next_control_plane_ends_it(stack, databases, name: str) -> None:
    payers = Payers(stack.ports.envoy.listen)
    payers.start(4)
    try:
        before = status(stack)["owner"]
        kind, to = ("advance", "writes") if before == "legacy" else ("rollback", "reads")
        for event in stack.events(kind, "till", {"to": to, "reason": "planned"}):
            if event["event"] == "step" and event["name"] == name:
                stack.kill("control", signal.SIGKILL)
                break
        stack.start_control()
        time.sleep(0.5)
        after = status(stack)
        assert after["phase"] == ("writes" if after["owner"] == "new" else "reads")
        assert stack.strangler("repair").out == "nothing is half done\n"
        time.sleep(0.5)
    finally:
        payers.stop()
    assert payers.failed == []
    every_payment_is_there(stack, databases, payers)


def test_a_transaction_that_stays_open_has_the_move_undone_and_is_named(stack, databases) -> None:
    before = status(stack)["owner"]
    kind, to = ("advance", "writes") if before == "legacy" else ("rollback", "reads")
    database = databases[0] if before == "legacy" else databases[1]
    payers = Payers(stack.ports.envoy.listen)
    payers.start(2)
    try:
        with closing(open_session(database)) as session, session.cursor() as cursor:
            cursor.execute("UPDATE payments SET idem = 'seed-0' WHERE idem = 'seed-0'")
            cursor.execute("UPDATE payments SET idem = 'seed-00' WHERE idem = 'seed-0'")
            done = stack.strangler(kind, "till", "--to", to, "--reason", "planned")
            session.rollback()
        assert done.exit == 1, done
        assert "did not finish within" in done.out + done.err
        assert f"undone: {before} owns till as before" in done.out
        assert status(stack)["owner"] == before
        time.sleep(0.3)
    finally:
        payers.stop()
    assert payers.failed == []
    every_payment_is_there(stack, databases, payers)
