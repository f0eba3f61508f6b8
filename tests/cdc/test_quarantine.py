"""Invariant 9 on real servers: what can't be applied waits with its key, all else goes on, nothing is forgotten."""

from __future__ import annotations

import pytest

from cdc.quarantine import Action, Bounds, QuarantineError
from cdc.state import StreamState
from cdc.verify import verify_capability
from tests.cdc.conftest import MakeLab
from tests.cdc.lab import Lab, execute, one_table
from tests.cdc.test_kill import Writer

pytestmark = [pytest.mark.real, pytest.mark.timeout(240)]

ANSWER = 30.0
CHECKED = """CREATE TABLE products (legacy_id BIGINT PRIMARY KEY, title VARCHAR(200), price_cents BIGINT,
    boost INT NOT NULL DEFAULT 7, CONSTRAINT price_cents CHECK (price_cents < 30000)) CHARACTER SET utf8mb4"""
NARROW = """CREATE TABLE products (legacy_id BIGINT PRIMARY KEY, title VARCHAR(200), price_cents SMALLINT,
    boost INT NOT NULL DEFAULT 7) CHARACTER SET utf8mb4"""


def products(lab: Lab) -> list[tuple[int, str, int]]:
    return lab.new("SELECT legacy_id, title, price_cents FROM products ORDER BY 1")


def heads(lab: Lab) -> list[tuple[str, int]]:
    return [(event.key, event.waiting_behind) for event in lab.quarantine.heads()]


def assert_verified(lab: Lab) -> None:
    lab.settle()
    found = verify_capability(lab.mapping, lab.source, lab.target, None, settle=None)
    assert found.equal, found.to_json()


def mend(lab: Lab) -> None:
    how = "DROP CONSTRAINT price_cents" if checks(lab) else "MODIFY price_cents BIGINT"
    execute(lab.target, f"ALTER TABLE products {how}")


def checks(lab: Lab) -> bool:
    """MySQL 8.0.15 reads CHECK and does nothing about it."""
    return "maria" in str(lab.new("SELECT VERSION()")).lower()


@pytest.mark.parametrize("pair", [("mysql_legacy", "mysql_new"), ("mariadb_server", "mariadb_server")])
def test_a_key_waits_others_flow_a_kill_forgets_nothing_and_a_retry_makes_all_equal(
    pair: tuple[str, str], request: pytest.FixtureRequest, make_lab: MakeLab
):
    source, target = (request.getfixturevalue(name) for name in pair)
    lab = make_lab(source, target, target_sql=(CHECKED if target is source else NARROW,))
    execute(lab.source, "INSERT INTO items (id, title, price) VALUES (1, 'a', 1), (2, 'b', 2), (3, 'c', 3)")
    lab.desk.want("running")
    worker = lab.process()
    try:
        lab.until(StreamState.STREAMING)
        execute(  # one transaction: rows of other keys go on without the refused one
            lab.source,
            "UPDATE items SET title = 'A', price = 10 WHERE id = 1",
            "UPDATE items SET title = 'too dear', price = 5000 WHERE id = 2",
            "UPDATE items SET title = 'C' WHERE id = 3",
        )
        lab.settle()
        assert products(lab) == [(1, "A", 1000), (2, "b", 200), (3, "C", 300)]
        (event,) = lab.quarantine.heads()
        assert (event.table, event.key, event.op, event.waiting_behind) == ("items", "id=2", "u", 0)
        assert "price_cents" in (event.error or "")
        assert event.position
        worker.kill()
        assert worker.wait(10) == -9
        execute(lab.source, "UPDATE items SET title = 'cheap', price = 4 WHERE id = 2")
        worker = lab.process()
        execute(
            lab.source, "UPDATE items SET title = 'cheaper', price = 3 WHERE id = 2", "DELETE FROM items WHERE id = 3"
        )
        execute(lab.source, "INSERT INTO items (id, title, price) VALUES (4, 'd', 4)")
        lab.until(StreamState.STREAMING)
        lab.settle()
        assert products(lab) == [(1, "A", 1000), (2, "b", 200), (4, "d", 400)]  # not overtaken by its later events
        assert heads(lab) == [("id=2", 2)]
        titles = [(e.event or {})["after"]["title"] for e in lab.quarantine.of_key(event.number)]
        assert titles == ["too dear", "cheap", "cheaper"]
        status = lab.desk.status()
        assert (status.quarantined, status.quarantine.events) == (1, 3)
        assert status.quarantine.first == ("items id=2",)
        mend(lab)
        answer = lab.quarantine.ask(Action.RETRY, [event.number], ANSWER)
        assert (len(answer["applied"]), answer["waiting"]) == (3, [])
        assert products(lab)[1] == (2, "cheaper", 300)
        assert lab.desk.status().quarantined == 0
        execute(lab.source, "UPDATE items SET title = 'on' WHERE id = 2")
        assert_verified(lab)
        assert products(lab)[1] == (2, "on", 300)
    finally:
        worker.terminate()
        assert worker.wait(60) == 0


def test_what_is_still_refused_stays_and_a_discarded_head_lets_the_rest_go(mysql_legacy, mysql_new, make_lab: MakeLab):
    lab = make_lab(mysql_legacy, mysql_new, target_sql=(NARROW,))
    execute(lab.source, "INSERT INTO items (id, title, price) VALUES (1, 'a', 1), (2, 'b', 2)")
    with lab.streaming():
        execute(lab.source, "UPDATE items SET title = 'dear', price = 5000 WHERE id = 1")
        lab.settle()
        execute(lab.source, "UPDATE items SET title = 'dearer', price = 6000 WHERE id = 1")
        execute(lab.source, "INSERT INTO items (id, title, price) VALUES (3, 'dear too', 7000)")
        lab.settle()
        assert heads(lab) == [("id=1", 1), ("id=3", 0)]
        first, third = (event.number for event in lab.quarantine.heads())
        answer = lab.quarantine.ask(Action.RETRY, None, ANSWER)
        assert answer["applied"] == []
        assert [(w["key"], "price_cents" in (w["error"] or "")) for w in answer["waiting"]] == [
            ("id=1", True),
            ("id=1", False),
            ("id=3", True),
        ]
        with pytest.raises(QuarantineError, match="no such event"):
            lab.quarantine.ask(Action.RETRY, [987654], ANSWER)

        answer = lab.quarantine.ask(Action.DISCARD, [first], ANSWER)
        assert answer["discarded"] == [first]
        assert [w["key"] for w in answer["waiting"]] == ["id=1"]  # its second event is refused for itself
        assert answer["rows"] == {"products": {"legacy_id": 1, "title": "a", "price_cents": 100}}
        execute(lab.source, "UPDATE items SET title = 'fair', price = 5 WHERE id = 1")
        lab.settle()
        assert heads(lab) == [("id=1", 1), ("id=3", 0)]
        second = lab.quarantine.heads()[0].number
        answer = lab.quarantine.ask(Action.DISCARD, [second], ANSWER)
        assert (len(answer["applied"]), answer["waiting"]) == (1, [])
        assert answer["rows"] == {"products": {"legacy_id": 1, "title": "fair", "price_cents": 500}}
        answer = lab.quarantine.ask(Action.DISCARD, [third], ANSWER)
        assert answer["rows"] == {"products": None}
        assert heads(lab) == []
        lab.settle()
        found = verify_capability(lab.mapping, lab.source, lab.target, None, settle=None)
        (table,) = found.to_json()["tables"]
        assert table["missing"] == [{"legacy_id": 3}]  # what was discarded is named


def test_a_full_quarantine_stops_loudly_and_has_a_way_out(mysql_legacy, mysql_new, make_lab: MakeLab):
    lab = make_lab(mysql_legacy, mysql_new, target_sql=(NARROW,))
    lab.bounds = Bounds(max_events=3)
    rows = ", ".join(f"({n}, 'x', 1)" for n in range(1, 6))
    execute(lab.source, f"INSERT INTO items (id, title, price) VALUES {rows}")
    with lab.streaming():
        for key in (1, 2, 3):
            execute(lab.source, f"UPDATE items SET price = 5000 WHERE id = {key}")
        lab.settle()
        before = lab.desk.position()
        execute(
            lab.source, "UPDATE items SET title = 'fine' WHERE id = 5", "UPDATE items SET price = 9000 WHERE id = 4"
        )
        error = lab.stopped()
        assert "the quarantine is full: 3 events of at most 3" in error.message
        assert "price_cents" in error.message
        assert (error.table, error.key) == ("items", "id=4")
        assert "quarantine retry --all" in error.way_out and "sync resume" in error.way_out
        assert heads(lab) == [("id=1", 0), ("id=2", 0), ("id=3", 0)]
        assert before is not None and lab.desk.position().contains(before)
        assert lab.new("SELECT title FROM products WHERE legacy_id = 5") == [("x",)]  # nothing of the refused batch
        mend(lab)
        answer = lab.quarantine.ask(Action.RETRY, None, ANSWER)  # also while it stands still
        assert len(answer["applied"]) == 3
        lab.desk.resume()
        lab.until(StreamState.STREAMING)
        assert_verified(lab)


def test_when_it_is_the_mapping_that_is_wrong_nothing_is_set_aside(mysql_legacy, mysql_new, make_lab: MakeLab):
    lab = make_lab(mysql_legacy, mysql_new, target_sql=(NARROW,))
    lab.bounds = Bounds(max_keys_at_once=5)
    with lab.streaming():
        rows = ", ".join(f"({n}, 'x', 5000)" for n in range(1, 50))
        execute(lab.source, f"INSERT INTO items (id, title, price) VALUES {rows}")
        error = lab.stopped()
        assert "6 rows of one batch are refused, so it is the mapping or the table that is wrong" in error.message
        assert heads(lab) == []
        mend(lab)
        lab.desk.resume()
        lab.until(StreamState.STREAMING)
        assert_verified(lab)


def test_a_truncate_ends_what_waits(mysql_legacy, mysql_new, make_lab: MakeLab):
    lab = make_lab(mysql_legacy, mysql_new, target_sql=(NARROW,))
    execute(lab.source, "INSERT INTO items (id, title, price) VALUES (1, 'a', 1), (2, 'b', 2)")
    with lab.streaming():
        execute(lab.source, "UPDATE items SET price = 5000 WHERE id = 1")
        lab.settle()
        execute(lab.source, "TRUNCATE TABLE items")
        execute(lab.source, "INSERT INTO items (id, title, price) VALUES (3, 'c', 3)")
        lab.settle()
        assert products(lab) == [(3, "c", 300)]
        assert heads(lab) == [("id=1", 1)]
        number = lab.quarantine.heads()[0].number
        assert [e.op for e in lab.quarantine.of_key(number)] == ["u", "d"]
        assert len(lab.quarantine.ask(Action.RETRY, [number], ANSWER)["applied"]) == 2
        assert_verified(lab)


def test_a_new_copy_takes_the_place_of_what_waits(mysql_legacy, mysql_new, make_lab: MakeLab):
    lab = make_lab(mysql_legacy, mysql_new, target_sql=(NARROW,))
    execute(lab.source, "INSERT INTO items (id, title, price) VALUES (1, 'a', 1), (2, 'b', 2)")
    with lab.streaming():
        execute(lab.source, "UPDATE items SET price = 5000 WHERE id = 1")
        lab.settle()
        assert heads(lab) == [("id=1", 0)]
        mend(lab)
        lab.desk.resnapshot(["items"])
        lab.until_true(lambda status: status.quarantined == 0 and status.state is StreamState.STREAMING)
        execute(lab.source, "UPDATE items SET title = 'on' WHERE id = 1")
        assert_verified(lab)
        assert products(lab) == [(1, "on", 500000), (2, "b", 200)]


def test_rows_that_stand_in_each_others_way_follow_each_other(mysql_legacy, mysql_new, make_lab: MakeLab):
    """A value that a waiting row still holds at the target, and a child of a row that waits: failures of their own, and
    all in after one retry."""
    lab = make_lab(
        mysql_legacy,
        mysql_new,
        one_table(columns={"title": "title", "code": "code", "parent": "NULLIF(status, 1)", "price_cents": "price"}),
        target_sql=(
            "CREATE TABLE products (legacy_id BIGINT PRIMARY KEY, title VARCHAR(200), code VARCHAR(40) UNIQUE,"
            " parent BIGINT, price_cents TINYINT,"
            " CONSTRAINT up FOREIGN KEY (parent) REFERENCES products (legacy_id)) CHARACTER SET utf8mb4",
        ),
    )
    execute(lab.source, "ALTER TABLE items ADD UNIQUE (code)")
    execute(lab.source, "INSERT INTO items (id, title, price, code) VALUES (10, 'a', 1, 'A'), (11, 'b', 1, 'B')")
    with lab.streaming():
        execute(lab.source, "UPDATE items SET code = 'Z', price = 5000 WHERE id = 10")
        execute(lab.source, "UPDATE items SET code = 'A' WHERE id = 11")  # free at the source
        execute(lab.source, "INSERT INTO items (id, title, price, code) VALUES (20, 'new', 5000, 'N')")
        execute(
            lab.source, "INSERT INTO items (id, title, price, status) VALUES (21, 'child', 1, 20), (22, 'other', 1, 1)"
        )
        lab.settle()
        assert heads(lab) == [("id=10", 0), ("id=11", 0), ("id=20", 0), ("id=21", 0)]
        assert lab.new("SELECT legacy_id, code FROM products ORDER BY 1") == [(10, "A"), (11, "B"), (22, None)]
        mend(lab)
        assert len(lab.quarantine.ask(Action.RETRY, None, ANSWER)["applied"]) == 4
        assert_verified(lab)


def test_a_swap_beside_a_refused_row_is_not_set_aside(mysql_legacy, mysql_new, make_lab: MakeLab):
    lab = make_lab(
        mysql_legacy,
        mysql_new,
        one_table(columns={"title": "title", "code": "code", "price_cents": "price"}),
        target_sql=(
            "CREATE TABLE products (legacy_id BIGINT PRIMARY KEY, title VARCHAR(200), code VARCHAR(40) UNIQUE,"
            " price_cents TINYINT) CHARACTER SET utf8mb4",
        ),
    )
    execute(lab.source, "ALTER TABLE items ADD UNIQUE (code)")
    execute(
        lab.source,
        "INSERT INTO items (id, title, price, code) VALUES (1, 'a', 1, 'A'), (2, 'b', 1, 'B'), (3, 'c', 1, 'C')",
    )
    with lab.streaming():
        execute(
            lab.source,
            "UPDATE items SET code = NULL WHERE id = 1",
            "UPDATE items SET price = 5000 WHERE id = 3",
            "UPDATE items SET code = 'A' WHERE id = 2",
            "UPDATE items SET code = 'B' WHERE id = 1",
        )
        lab.settle()
        assert heads(lab) == [("id=3", 0)]
        assert lab.new("SELECT legacy_id, code FROM products ORDER BY 1") == [(1, "B"), (2, "A"), (3, "C")]


def test_under_load_with_kills_nothing_is_lost(mysql_legacy, mysql_new, make_lab: MakeLab):
    """Rows fail and are mended at the target while others are written, with the worker killed in between."""
    lab = make_lab(mysql_legacy, mysql_new, target_sql=(NARROW,))
    execute(
        lab.source, "INSERT INTO items (id, title, price) VALUES " + ", ".join(f"({n}, 'b', 1)" for n in range(1, 500))
    )
    lab.desk.want("running")
    worker = lab.process()
    try:
        lab.until(StreamState.STREAMING)
        with Writer(lab.source, seed=9, ids=tuple(range(200, 500))).writing():
            for key in range(1, 40):
                execute(lab.source, f"UPDATE items SET price = 5000 + {key} WHERE id = {key}")
                execute(lab.source, f"UPDATE items SET title = 'later' WHERE id = {key}")
                if key in (13, 26):
                    worker.kill()
                    worker.wait(10)
                    worker = lab.process()
        lab.until(StreamState.STREAMING)
        lab.settle()
        assert [key for key, _ in heads(lab)] == [f"id={key}" for key in range(1, 40)]
        mend(lab)
        lab.quarantine.ask(Action.RETRY, None, ANSWER)
        assert lab.desk.status().quarantined == 0
        assert_verified(lab)
    finally:
        worker.terminate()
        assert worker.wait(60) == 0


def test_rows_that_the_copy_can_not_write_wait_and_the_stream_goes_on(mysql_legacy, mysql_new, make_lab: MakeLab):
    lab = make_lab(mysql_legacy, mysql_new, target_sql=(NARROW,))
    rows = ", ".join(f"({n}, 'a\\tb', {5000 if n in (7, 1500) else 1})" for n in range(1, 2001))
    execute(lab.source, f"INSERT INTO items (id, title, price) VALUES {rows}")
    execute(lab.target, "INSERT INTO products VALUES (7, 'older', 1, 99), (3000, 'stray', 1, 7)")
    with lab.streaming():
        assert heads(lab) == [("id=7", 0), ("id=1500", 0)]
        assert {event.op for event in lab.quarantine.heads()} == {"r"}
        assert lab.new("SELECT COUNT(*) FROM products") == [(1999,)]
        # it waits, so it is not swept away: the service's own column is in it
        assert lab.new("SELECT title, boost FROM products WHERE legacy_id = 7") == [("older", 99)]
        execute(
            lab.source, "UPDATE items SET title = 'later' WHERE id = 1500", "UPDATE items SET title = 'x' WHERE id = 1"
        )
        lab.settle()
        assert heads(lab) == [("id=7", 0), ("id=1500", 1)]
        mend(lab)
        assert len(lab.quarantine.ask(Action.RETRY, None, ANSWER)["applied"]) == 3
        assert_verified(lab)
        assert lab.new("SELECT title, boost FROM products WHERE legacy_id IN (7, 1500) ORDER BY legacy_id") == [
            ("a\tb", 99),
            ("later", 7),
        ]
