"""One capability from legacy to reads and back, on real MySQL, Envoy and Debezium, by the commands a person types."""

from __future__ import annotations

import sys
import time
from contextlib import closing

import jsonschema
import pytest

from cdc.session import open_session

pytestmark = [pytest.mark.real, pytest.mark.timeout(600)]

PROJECT = """
[project]
name = "test"
[databases.old]
url = "{old}"
[databases.new]
url = "{new}"
[legacy]
url = "{legacy_url}"
database = "old"
[capability.catalog]
url = "{new_url}"
database = "new"
routes = ["GET /api/items"]
[capability.catalog.tables.items]
from = "items"
key = {{ id = "id" }}
columns = {{ title = "TRIM(title)", cents = "{cents}" }}
[capability.catalog.synced]
timeout_minutes = 5.0
[capability.catalog.verify]
continuous = true
hot_seconds = 0.2
[capability.catalog.gates]
canary = {{ max_lag_seconds = 60.0, verified_within_minutes = 60.0 }}
[capability.catalog.gates.reads]
max_lag_seconds = 60.0
verified_within_minutes = 60.0
min_requests_new = 20
max_error_percent_above_legacy = 1.0
"""
CENTS = "CAST(price * 100 AS SIGNED)"
ROWS = 500
VERIFY = {
    "required": ["equal", "tables", "in_flight"],
    "properties": {
        "tables": {
            "minItems": 1,
            "items": {"required": ["table", "rows", "rows_per_second", "missing", "extra", "differing"]},
        }
    },
}
SYNC = {
    "properties": {
        "streams": {
            "minItems": 1,
            "items": {
                "required": [
                    *("capability", "direction", "position", "lag_seconds", "events", "rows_per_second", "state"),
                ]
            },
        }
    }
}


def sql(database, *statements: str) -> None:
    with closing(open_session(database)) as session, session.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
        session.commit()


@pytest.fixture(scope="module")
def databases(mysql_legacy, mysql_new):
    old, new = mysql_legacy.create_schema("journey_old"), mysql_new.create_schema("journey_new")
    sql(
        old,
        "CREATE TABLE items "
        "(id INT PRIMARY KEY AUTO_INCREMENT, title VARCHAR(40) NOT NULL, price DECIMAL(8,2) NOT NULL)",
        "INSERT INTO items (title, price) VALUES " + ", ".join(f"(' item {n}', {n}.25)" for n in range(ROWS)),
    )
    sql(new, "CREATE TABLE items (id INT PRIMARY KEY, title VARCHAR(40) NOT NULL, cents BIGINT NOT NULL)")
    yield old, new
    mysql_legacy.drop_schema("journey_old")
    mysql_new.drop_schema("journey_new")


@pytest.fixture(scope="module")
def stack(make_stack, sides, databases):
    legacy, fresh = sides
    old, new = databases
    text = PROJECT.format(old=old.url, new=new.url, legacy_url=legacy.url, new_url=fresh.url, cents=CENTS)
    stack = make_stack(text)
    stack.start_control()
    stack.start_envoy()
    stack.start("stream", sys.executable, "-m", "strangler.streams", "catalog")
    return stack


def phase(stack) -> str:
    return stack.strangler("status", "catalog", "--json").json["capabilities"][0]["phase"]


def test_a_mapping_that_bends_values_is_refused_with_its_line(stack) -> None:
    file = stack.folder / "strangler.toml"
    good = file.read_text()
    file.write_text(good.replace(CENTS, "price * 100"))
    stack.kill("control")
    stack.start_control()
    try:
        ran = stack.strangler("advance", "catalog", "--reason", "x")
    finally:
        file.write_text(good)
        stack.kill("control")
        stack.start_control()
    assert ran.exit == 2, ran
    line = 1 + good[: good.index("columns =")].count("\n")
    assert ran.err.startswith(f"strangler.toml:{line}: capability.catalog.tables.items.columns.cents\n"), ran.err
    assert "DECIMAL" in ran.err
    assert phase(stack) == "legacy"


def test_the_journey(stack, databases, sides) -> None:
    old, _ = databases
    done = stack.strangler("advance", "catalog", "--reason", "bring the rows", "--json")
    assert done.exit == 0, done
    assert done.json["to"] == "synced"
    assert [step["name"] for step in done.json["steps"]] == ["start stream", "copy, follow", "compare rows", "phase"]
    streams = stack.strangler("sync", "status", "--json").json
    jsonschema.validate(streams, SYNC)
    assert streams["streams"][0]["state"] == "streaming"

    sql(old, "INSERT INTO items (title, price) VALUES ('late', 1.99)", "DELETE FROM items WHERE id = 3")
    equal = stack.strangler("verify", "catalog", "--json")
    assert equal.exit == 0, equal
    jsonschema.validate(equal.json, VERIFY)
    assert equal.json["tables"][0]["rows"] == ROWS

    assert stack.strangler("advance", "catalog", "--percent", "30", "--reason", "some").exit == 0
    early = stack.strangler("advance", "catalog", "--reason", "all")
    assert early.exit == 3, early
    assert "the gate asks for 20" in early.err
    assert "nothing was changed" in early.err
    by_side = [stack.get("/api/items", f"user-{n}").headers["x-strangler-side"] for n in range(200)]
    assert by_side.count("new") >= 20
    assert stack.strangler("advance", "catalog", "--reason", "all").exit == 0
    assert {stack.get("/api/items", f"user-{n}").text for n in range(20)} == {"new"}

    back = stack.strangler("rollback", "catalog", "--reason", "trial", "--json")
    assert (back.exit, back.json["to"]) == (0, "synced")
    assert {stack.get("/api/items", f"user-{n}").text for n in range(20)} == {"legacy"}
    assert stack.strangler("sync", "status", "--json").json["streams"][0]["state"] == "streaming"


def test_a_row_changed_by_hand_is_named_and_repaired(stack, databases) -> None:
    """Done when (issue 3): a row changed by hand in the service's database is named by verify; invariant 11."""
    _, new = databases
    assert phase(stack) == "synced"
    sql(
        new,
        "UPDATE items SET title = 'bent' WHERE id = 7",
        "DELETE FROM items WHERE id = 8",
        "INSERT INTO items VALUES (9999, 'alone', 1)",
    )
    ran = stack.strangler("verify", "catalog", "--json")
    assert ran.exit == 1
    (table,) = ran.json["tables"]
    assert [d["key"] for d in table["differing"]] == [{"id": 7}]
    assert table["differing"][0]["columns"]["title"] == {"legacy": "item 6", "new": "bent"}
    assert (table["missing"], table["extra"]) == ([{"id": 8}], [{"id": 9999}])
    said = stack.strangler("verify", "catalog")
    assert 'items id 7   title: legacy "item 6", new "bent"' in said.out

    refused = stack.strangler("advance", "catalog", "--reason", "x")
    assert refused.exit == 3
    assert "parity" in refused.err
    assert "strangler verify catalog --table items --repair" in refused.err

    assert stack.strangler("verify", "catalog", "--repair").exit == 2  # it writes, so it wants a reason
    mended = stack.strangler("verify", "catalog", "--repair", "--reason", "planted")
    assert mended.exit == 0, mended
    assert stack.strangler("verify", "catalog").exit == 0
    assert "planted" in stack.strangler("audit").out


def test_continuous_mode_finds_a_hot_row_changed_by_hand(stack, databases) -> None:
    """A row that the stream wrote lately and is not the same any more is in the status, and stops the next step."""
    old, new = databases
    sql(old, "UPDATE items SET price = 77 WHERE id IN (5, 6)")
    seen = await_continuous(stack, lambda seen: seen["hot"]["rows"] > 0 and seen["last"] is not None)
    assert (seen["state"], seen["hot"]["different"], seen["last"]["equal"]) == ("running", 0, True)
    sql(new, "UPDATE items SET title = 'bent' WHERE id = 5")
    seen = await_continuous(stack, lambda seen: seen["hot"]["different"])
    assert seen["hot"]["keys"] == ["items id=5"]
    assert "1 of them differ (items id=5)" in stack.strangler("status", "catalog").out
    refused = stack.strangler("advance", "catalog", "--reason", "x")
    assert refused.exit == 3
    assert "parity" in refused.err
    assert stack.strangler("verify", "catalog", "--repair", "--reason", "hot").exit == 0
    await_continuous(stack, lambda seen: not seen["hot"]["different"])


def test_pausing_and_resuming_the_stream(stack, databases) -> None:
    old, _ = databases
    assert stack.strangler("sync", "pause", "catalog").exit == 2
    assert stack.strangler("sync", "pause", "catalog", "--reason", "maintenance").exit == 0
    await_state(stack, "paused")
    sql(old, "INSERT INTO items (title, price) VALUES ('while paused', 5.00)")
    refused = stack.strangler("advance", "catalog", "--reason", "x")
    assert refused.exit == 3
    assert "it is paused, not streaming" in refused.err
    assert stack.strangler("sync", "resume", "catalog", "--reason", "done").exit == 0
    await_state(stack, "streaming")
    assert stack.strangler("verify", "catalog").exit == 0


def test_back_to_legacy_stops_the_stream(stack) -> None:
    back = stack.strangler("rollback", "catalog", "--to", "legacy", "--reason", "end")
    assert back.exit == 0, back
    await_state(stack, "absent")
    assert phase(stack) == "legacy"


def test_a_database_that_is_away_is_told(stack, databases) -> None:
    file = stack.folder / "strangler.toml"
    good = file.read_text()
    file.write_text(good.replace(f":{databases[1].port}/", ":1/"))
    stack.kill("control")
    stack.start_control()
    try:
        ran = stack.strangler("verify", "catalog")
        status = stack.strangler("status")
    finally:
        file.write_text(good)
        stack.kill("control")
        stack.start_control()
    assert ran.exit == 1
    assert "doesn't answer" in ran.err
    assert status.exit == 0  # the rest of the answer is still worth having
    assert "no, unreachable" in status.out


def await_continuous(stack, holds) -> dict:
    until = time.monotonic() + 120
    while time.monotonic() < until:
        seen = stack.strangler("status", "catalog", "--json").json["capabilities"][0]["continuous"]
        if holds(seen):
            return seen
        time.sleep(0.2)
    pytest.fail(f"continuous mode never came to that: {seen}")


def await_state(stack, state: str) -> None:
    until = time.monotonic() + 120
    while time.monotonic() < until:
        if stack.strangler("sync", "status", "--json").json["streams"][0]["state"] == state:
            return
        time.sleep(0.2)
    pytest.fail(f"the stream never became {state}: {stack.strangler('sync', 'status').out}")
