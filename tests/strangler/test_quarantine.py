"""What can't be applied, from the event to its way out, by the commands a person types (invariant 9)."""

from __future__ import annotations

import sys
import time

import httpx
import jsonschema
import pytest

from tests.strangler.test_journey import await_state, phase, sql

pytestmark = [pytest.mark.real, pytest.mark.timeout(400)]

PROJECT = """
[project]
name = "test"
[databases.old]
url = "{old}"
[databases.new]
url = "{new}"
[legacy]
url = "http://127.0.0.1:18080"
database = "old"
[capability.catalog]
url = "http://127.0.0.1:18081"
database = "new"
routes = ["GET /api/items"]
[capability.catalog.tables.items]
from = "items"
key = {{ id = "id" }}
columns = {{ title = "title" }}
[capability.catalog.quarantine]
max_events = 20
"""
EVENTS = {
    "required": ["events"],
    "properties": {
        "events": {
            "minItems": 1,
            "items": {
                "required": ["id", "table", "key", "position", "error", "waiting_behind"],
                "properties": {"id": {"type": "string"}, "waiting_behind": {"type": "integer"}},
            },
        }
    },
}


@pytest.fixture(scope="module")
def databases(mysql_legacy, mysql_new):
    old, new = mysql_legacy.create_schema("quarantine_old"), mysql_new.create_schema("quarantine_new")
    sql(
        old,
        "CREATE TABLE items (id INT PRIMARY KEY AUTO_INCREMENT, title VARCHAR(40) NOT NULL)",
        "INSERT INTO items (title) VALUES ('a'), ('b'), ('c')",
    )
    sql(new, "CREATE TABLE items (id INT PRIMARY KEY, title VARCHAR(40) NOT NULL)")
    yield old, new
    mysql_legacy.drop_schema("quarantine_old")
    mysql_new.drop_schema("quarantine_new")


@pytest.fixture(scope="module")
def stack(make_stack, databases):
    old, new = databases
    stack = make_stack(PROJECT.format(old=old.url, new=new.url))
    stack.start_control()
    stack.start("stream", sys.executable, "-m", "strangler.streams", "catalog")
    brought = stack.strangler("advance", "catalog", "--reason", "bring the rows")
    assert brought.exit == 0, brought
    refuse_long_titles(new)
    return stack


def refuse_long_titles(database) -> None:
    """A rule of the new side."""
    for when in ("INSERT", "UPDATE"):
        sql(
            database,
            f"CREATE TRIGGER short_{when} BEFORE {when} ON items FOR EACH ROW IF CHAR_LENGTH(NEW.title) > 10 THEN"
            " SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'title is longer than the shop window'; END IF",
        )


def allow_long_titles(database) -> None:
    sql(database, "DROP TRIGGER short_INSERT", "DROP TRIGGER short_UPDATE")


def waiting(stack, number: int) -> list[dict]:
    """The first events of ``number`` keys, once so many wait."""
    until = time.monotonic() + 60
    while len(found := stack.strangler("quarantine", "list", "--json").json["events"]) != number:
        assert time.monotonic() < until, stack.strangler("sync", "status").out
        time.sleep(0.2)
    return found


def test_an_event_that_is_refused_waits_and_is_told_everywhere(stack, databases) -> None:
    old, _ = databases
    assert stack.strangler("quarantine", "list").out == "nothing is in quarantine\n"
    sql(old, "UPDATE items SET title = 'far too long' WHERE id = 2", "UPDATE items SET title = 'A' WHERE id = 1")
    sql(old, "UPDATE items SET title = 'short' WHERE id = 2")
    (event,) = waiting(stack, 1)
    jsonschema.validate({"events": [event]}, EVENTS)
    assert (event["table"], event["key"], event["op"]) == ("items", "id=2", "u")
    assert event["id"].startswith("catalog-")
    assert event["error"] == "title is longer than the shop window"
    until = time.monotonic() + 30
    while waiting(stack, 1)[0]["waiting_behind"] != 1:
        assert time.monotonic() < until
        time.sleep(0.2)

    listed = stack.strangler("quarantine", "list", "catalog")
    assert listed.exit == 0
    assert "ID" in listed.out and "items id=2" in listed.out
    assert "it stops at 20 events or 64.0 MB" in listed.out
    shown = stack.strangler("quarantine", "show", event["id"])
    assert '"far too long"' in shown.out and "1 later event of this key waits" in shown.out
    whole = stack.strangler("quarantine", "show", event["id"], "--json").json
    jsonschema.validate(whole, EVENTS)
    assert [e["event"]["after"]["title"] for e in whole["events"]] == ["far too long", "short"]
    assert [e["waiting_behind"] for e in whole["events"]] == [1, 0]

    status = stack.strangler("status", "catalog", "--json").json["capabilities"][0]
    assert (status["sync"]["state"], status["sync"]["quarantined"]) == ("streaming", 1)
    assert "1 key waits in quarantine: items id=2" in status["rollback"]["reasons"][1]
    said = stack.strangler("status")
    assert "all but 1 key" in said.out and "strangler quarantine list catalog" in said.out
    assert "1 key in quarantine" in stack.strangler("status", "catalog").out
    streams = stack.strangler("sync", "status", "--json").json["streams"][0]
    assert (streams["quarantined"], streams["quarantine"]["events"]) == (1, 2)
    assert "1 key" in stack.strangler("sync", "status").out
    until = time.monotonic() + 20
    while 'strangler_stream_quarantined_events{capability="catalog"} 2.0' not in metrics(stack):
        assert time.monotonic() < until, metrics(stack)
        time.sleep(0.3)


def metrics(stack) -> str:
    return httpx.get(f"http://127.0.0.1:{stack.ports.control.api}/metrics", trust_env=False).text


def test_the_next_gate_refuses(stack) -> None:
    refused = stack.strangler("advance", "catalog", "--reason", "x")
    assert refused.exit == 3, refused
    assert "1 key waits in quarantine: items id=2" in refused.err
    assert "strangler quarantine list catalog" in refused.err
    assert phase(stack) == "synced"


def test_retry(stack, databases) -> None:
    old, new = databases
    event = waiting(stack, 1)[0]["id"]
    assert stack.strangler("quarantine", "retry").exit == 2
    assert stack.strangler("quarantine", "retry", "catalog-999999").exit == 2
    assert stack.strangler("quarantine", "retry", "nonsense").exit == 2
    dry = stack.strangler("quarantine", "retry", event, "--dry-run")
    assert (dry.exit, "nothing was changed" in dry.out) == (0, True)
    assert f"would apply 2 events of items id=2 ({event} first), in order, in one transaction" in dry.out

    sql(old, "UPDATE items SET title = 'far too long again' WHERE id = 2")
    until = time.monotonic() + 30
    while waiting(stack, 1)[0]["waiting_behind"] != 2:
        assert time.monotonic() < until
        time.sleep(0.2)
    still = stack.strangler("quarantine", "retry", "--all", "--reason", "try", "--json")
    assert still.exit == 1, still
    jsonschema.validate(still.json, EVENTS)
    assert (still.json["applied"], still.json["done"]) == ([], False)
    (left,) = still.json["events"]
    assert (left["id"], left["waiting_behind"]) == (event, 2)

    assert stack.strangler("sync", "pause", "catalog", "--reason", "maintenance").exit == 0
    await_state(stack, "paused")
    paused = stack.strangler("quarantine", "retry", "--all", "--reason", "x")
    assert paused.exit == 3, paused
    assert "the stream of catalog is paused" in paused.err and "strangler sync resume catalog" in paused.err
    assert stack.strangler("sync", "resume", "catalog", "--reason", "on").exit == 0
    await_state(stack, "streaming")

    allow_long_titles(new)
    done = stack.strangler("quarantine", "retry", left["id"], "--reason", "the rule is gone")
    assert done.exit == 0, done
    assert "3 events were applied" in done.out
    assert waiting(stack, 0) == []
    assert stack.strangler("verify", "catalog").exit == 0
    entries = stack.strangler("audit", "catalog", "--json").json["entries"]
    tried = [(e["reason"], e["done"]) for e in entries if e["action"] == "quarantine retry"]
    assert tried == [("the rule is gone", True), ("try", False)]
    assert stack.strangler("quarantine", "retry", "--all", "--reason", "x").out == "nothing was in quarantine\n"


def test_discard(stack, databases) -> None:
    old, new = databases
    refuse_long_titles(new)
    sql(old, "UPDATE items SET title = 'far too long once more' WHERE id = 3")
    (event,) = waiting(stack, 1)
    assert stack.strangler("quarantine", "discard", event["id"]).exit == 2
    dry = stack.strangler("quarantine", "discard", event["id"], "--dry-run")
    assert dry.out.startswith(f"would throw away {event['id']}: u items id=3 at ")
    done = stack.strangler("quarantine", "discard", event["id"], "--reason", "a test row")
    assert done.exit == 0, done
    assert f"{event['id']} was thrown away" in done.out
    assert 'the row on new, items: id 3, title "c"' in done.out
    assert "strangler verify catalog --repair" in done.out
    assert waiting(stack, 0) == []
    differs = stack.strangler("verify", "catalog", "--json")
    assert differs.exit == 1
    assert {"id": 3} in [d["key"] for d in differs.json["tables"][0]["differing"]]
    allow_long_titles(new)
    assert stack.strangler("verify", "catalog", "--repair", "--reason", "the discarded one").exit == 0
    entry = stack.strangler("audit", "catalog", "--json").json["entries"][1]
    assert (entry["action"], entry["reason"], entry["after"]["discarded"]) == (
        "quarantine discard",
        "a test row",
        [event["id"]],
    )
