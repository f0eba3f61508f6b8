"""The fence on real servers: who may write, and what moving ownership does under load (invariants 12, 13, 16, 18)."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field

import pymysql
import pytest

from cdc.database import Database
from cdc.ownership.fence import APPLIER
from cdc.ownership.ids import GAP, reserve, short
from cdc.ownership.move import HeldUp, MovedMeanwhile, admit, move
from cdc.ownership.row import read
from cdc.ownership.side import Side
from cdc.position import Position
from cdc.server import read_position, source_position
from cdc.session import open_session
from tests.cdc.lab import execute
from tests.cdc.ownership.conftest import Armed

pytestmark = pytest.mark.real

WRITERS, MOVES = 8, 6


def move_side(armed: Armed, side: Side, owner: Side, tokens: tuple[int, int], seconds: int = 5) -> Position:
    database = armed.sides.of(side)
    with closing(open_session(database)) as session:
        return move(
            session,
            database,
            armed.name,
            side,
            owner=owner,
            token_from=tokens[0],
            token_to=tokens[1],
            since="",
            journal="test",
            seconds=seconds,
        )


def refusal(database: Database, *statements: str) -> str:
    """What the database says to the last of these statements."""
    with pytest.raises(pymysql.err.MySQLError) as refused:
        execute(database, *statements)
    number, words = refused.value.args
    assert number == 1644, refused.value
    return str(words)


def as_applier(armed: Armed, token: int) -> str:
    return f"SET {APPLIER} = '{armed.name}:{token}'"


def test_only_the_owner_writes_and_only_the_newest_applier_passes(armed: Armed):
    legacy, new = armed.sides.legacy, armed.sides.new
    order, purchase = (
        "INSERT INTO orders (state, total) VALUES ('paid', 1)",
        "INSERT INTO purchases VALUES (1, 'PAID', 100, 7)",
    )
    stock = "INSERT INTO stock VALUES (1, 'listed', NULL, 'coat')"
    execute(legacy, order, "INSERT INTO items (title, price) VALUES ('coat', 5)")
    for statement in (purchase, stock):
        words = refusal(new, statement)
        assert f"belongs to legacy (capability {armed.name}): write through the monolith" in words
    execute(new, as_applier(armed, 1), purchase, stock)
    assert "strangler: purchases belongs to legacy" in refusal(new, as_applier(armed, 0), "DELETE FROM purchases")
    refusal(new, "UPDATE purchases SET state = 'paid'")  # the same to the collation
    execute(new, "UPDATE purchases SET own = 8")  # the service's own column
    execute(new, "INSERT INTO prices VALUES (1, 5)", "INSERT INTO outbox (number, text) VALUES ('a', 'hello')")
    assert "itself" in refusal(legacy, as_applier(armed, 1), order)

    move_side(armed, Side.LEGACY, Side.NEW, (1, 2))
    move_side(armed, Side.NEW, Side.NEW, (1, 2))
    for statement in (order, "UPDATE orders SET note = 'x'", "DELETE FROM orders"):
        words = refusal(legacy, statement)
        assert f"orders belongs to new (capability {armed.name}): write through the service" in words
    refusal(legacy, as_applier(armed, 1), order)
    execute(legacy, as_applier(armed, 2), order)
    assert "itself" in refusal(new, as_applier(armed, 2), "UPDATE purchases SET state = 'GONE'")
    execute(new, "UPDATE purchases SET state = 'GONE'", "INSERT INTO purchases (state, cents) VALUES ('NEW', 1)")

    # a group: legacy goes on with the rest of the row, and with new rows
    execute(legacy, "UPDATE items SET title = 'Coat', price = 6", "INSERT INTO items (title, price) VALUES ('hat', 1)")
    refusal(legacy, "UPDATE items SET status = 1 WHERE id = 1")
    refusal(legacy, "DELETE FROM items WHERE id = 1")
    execute(legacy, as_applier(armed, 2), "UPDATE items SET status = 1, reserved_by = 'ann' WHERE id = 1")
    refusal(legacy, "UPDATE items SET reserved_by = 'Ann' WHERE id = 1")
    assert execute(legacy, "SELECT changes FROM items ORDER BY id") == [(2,), (0,)]  # legacy's own trigger goes on
    execute(new, as_applier(armed, 2), "INSERT INTO stock VALUES (2, 'listed', NULL, 'hat')")  # born on legacy
    execute(new, "UPDATE stock SET availability = 'sold'")


@dataclass
class Writers:
    """Transactions of two statements on ``orders``, as fast as they go, until the block ends."""

    database: Database
    done: set[str] = field(default_factory=set)  # acknowledged
    refused: int = 0
    failed: list[BaseException] = field(default_factory=list)

    @contextmanager
    def writing(self) -> Iterator[None]:
        ended = threading.Event()
        threads = [threading.Thread(target=self._run, args=(n, ended), daemon=True) for n in range(WRITERS)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            ended.set()
            for thread in threads:
                thread.join(30)
        assert not self.failed, self.failed

    def _run(self, number: int, ended: threading.Event) -> None:
        try:
            with closing(open_session(self.database)) as session, session.cursor() as cursor:
                level = "READ COMMITTED" if number % 2 else "REPEATABLE READ"
                cursor.execute(f"SET SESSION TRANSACTION ISOLATION LEVEL {level}")
                count = 0
                while not ended.is_set():
                    count += 1
                    note = f"{number}-{count}"
                    try:
                        session.begin()
                        cursor.execute("INSERT INTO orders (state, total, note) VALUES ('new', 1, %s)", (note,))
                        cursor.execute("UPDATE orders SET state = 'paid' WHERE id = LAST_INSERT_ID()")
                        session.commit()
                        self.done.add(note)
                    except pymysql.err.MySQLError as error:
                        session.rollback()
                        if error.args[0] != 1644:
                            raise
                        self.refused += 1
                        time.sleep(0.001)
        except BaseException as error:  # noqa: BLE001 - told by the test
            self.failed.append(error)


def test_a_move_under_full_load_is_an_exact_fence(armed: Armed):
    legacy, writers, token = armed.sides.legacy, Writers(armed.sides.legacy), 1
    with writers.writing():
        for _ in range(MOVES):
            time.sleep(0.15)
            fence = move_side(armed, Side.LEGACY, Side.NEW, (token, token + 1))
            (counted,), *_ = execute(legacy, "SELECT COUNT(*) FROM orders")
            time.sleep(0.1)
            assert source_position(legacy) == fence, "something was written after the fence"
            assert execute(legacy, "SELECT COUNT(*) FROM orders") == [(counted,)]
            move_side(armed, Side.LEGACY, Side.LEGACY, (token + 1, token + 2))
            token += 2
    there = [note for (note,) in execute(legacy, "SELECT note FROM orders WHERE state = 'paid'")]
    assert set(there) == writers.done and len(there) == len(writers.done)
    assert writers.refused > 0 and len(there) > WRITERS * MOVES


def test_an_open_transaction_is_waited_for_and_named(armed: Armed, server):  # type: ignore[no-untyped-def]
    legacy = armed.sides.legacy
    with closing(open_session(legacy)) as session, session.cursor() as cursor:
        cursor.execute("INSERT INTO orders (state, total) VALUES ('slow', 1)")
        cursor.execute("SELECT CONNECTION_ID()")
        (number,) = cursor.fetchone() or (0,)
        with pytest.raises(HeldUp) as held:
            move_side(armed, Side.LEGACY, Side.NEW, (1, 2), seconds=1)
        assert [(one.id, one.user) for one in held.value.holders] == [(number, legacy.user)]
        assert f"session {number} of {legacy.user}@127.0.0.1" in str(held.value) and f"KILL {number}" in str(held.value)
        assert server.kind == "mariadb" or "last statement: SELECT CONNECTION_ID()" in str(held.value)
        row = read(open_session(legacy), armed.name, Side.LEGACY)
        assert row is not None and (row.owner, row.token) == (Side.LEGACY, 1)
        threading.Timer(0.5, session.commit).start()
        fence = move_side(armed, Side.LEGACY, Side.NEW, (1, 2))  # waits for the commit
        assert fence.contains(read_position(session))
    with pytest.raises(MovedMeanwhile, match="new owns, with token 2"):
        move_side(armed, Side.LEGACY, Side.NEW, (1, 2))
    with closing(open_session(legacy)) as session:
        admit(session, armed.name, Side.LEGACY, 2, fence)
        admit(session, armed.name, Side.LEGACY, 2, fence)
        row = read(session, armed.name, Side.LEGACY)
        assert row is not None and row.begins == fence
        with pytest.raises(MovedMeanwhile):
            admit(session, armed.name, Side.LEGACY, 1, fence)


def test_ids_of_the_next_owner_lie_above_all_that_was_used(armed: Armed):
    legacy, new = armed.sides.legacy, armed.sides.new
    execute(legacy, "INSERT INTO orders (id, state, total) VALUES (500, 'paid', 1)", "DELETE FROM orders")
    assert short(armed.mapping, armed.sides, Side.NEW)
    (reserved,) = reserve(armed.mapping, armed.sides, Side.NEW)
    assert (reserved.table, reserved.column, reserved.next) == ("purchases", "legacy_id", 500 + GAP + 1)
    assert reserve(armed.mapping, armed.sides, Side.NEW) == [reserved]
    assert not short(armed.mapping, armed.sides, Side.NEW)
    move_side(armed, Side.NEW, Side.NEW, (1, 2))
    execute(new, "INSERT INTO purchases (state, cents) VALUES ('NEW', 1)")
    assert execute(new, "SELECT legacy_id FROM purchases") == [(500 + GAP + 1,)]
    (back,) = reserve(armed.mapping, armed.sides, Side.LEGACY)
    assert back.table == "orders" and back.next > 500 + GAP + 1
