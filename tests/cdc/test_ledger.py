"""Who may write a stream's position."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing

import pytest

from cdc.ledger import Ledger, TakenError
from cdc.position import Position
from cdc.session import open_session
from cdc.source.port import Resume
from cdc.state import SCHEMA, Direction
from tests.cdc.lab import execute

pytestmark = pytest.mark.real

HERE = Position(None, "binlog.000001", 4)
NewLedger = Callable[[], tuple[Ledger, "object"]]


@pytest.fixture
def new_ledger(fresh_schema, mysql_new) -> Iterator[NewLedger]:  # type: ignore[no-untyped-def]
    """Each call gives a ledger of the same stream on a session of its own, with that session."""
    database, capability = fresh_schema(mysql_new), f"cap_{secrets.token_hex(3)}"
    with ExitStack() as opened:

        def make() -> tuple[Ledger, object]:
            session = opened.enter_context(closing(open_session(database)))
            return Ledger(session, capability, Direction.TO_NEW), session

        yield make
    execute(database, f"DELETE FROM {SCHEMA}.stream_position WHERE capability = '{capability}'")


def advance(ledger: Ledger, session, offset: str) -> None:  # type: ignore[no-untyped-def]
    with session.cursor() as cursor:
        ledger.advance(cursor, offset, HERE, 1)
    session.commit()


def test_a_worker_that_was_replaced_can_not_write_any_more(new_ledger):
    """Invariant 8, after a rebalance: the first one still lives, its lock went with a fail-over of the target."""
    first, its_session = new_ledger()
    first.take()
    first.begin(Resume("{}", b""))
    advance(first, its_session, "one")
    with its_session.cursor() as cursor:
        cursor.execute("SELECT RELEASE_ALL_LOCKS()")
    second, session = new_ledger()
    second.take()
    with pytest.raises(TakenError, match="taken the stream over"):
        advance(first, its_session, "stale")
    its_session.rollback()
    stored = second.read()
    assert stored is not None and (stored.resume.offset, stored.events) == ("one", 1)
    advance(second, session, "two")
    with its_session.cursor() as cursor, pytest.raises(TakenError):
        first.fence(cursor)
    its_session.rollback()
    with pytest.raises(TakenError):
        first.begin(Resume("stale", b""))


def test_a_replaced_worker_can_not_begin_before_its_successor_either(new_ledger):
    first, its_session = new_ledger()
    first.take()
    with its_session.cursor() as cursor:
        cursor.execute("SELECT RELEASE_ALL_LOCKS()")
    second, session = new_ledger()
    second.take()
    second.begin(Resume("new", b""))
    with pytest.raises(TakenError):
        first.begin(Resume("stale", b""))
    its_session.rollback()
    advance(second, session, "newer")


def test_only_one_at_a_time(new_ledger):
    first, _ = new_ledger()
    first.take()
    second, _ = new_ledger()
    with pytest.raises(TakenError, match="another worker writes the stream"):
        second.take()


def test_a_clock_that_was_set_back_gives_nobody_the_right_to_write(new_ledger, monkeypatch: pytest.MonkeyPatch):
    first, its_session = new_ledger()
    first.take()
    first.begin(Resume("{}", b""))
    with its_session.cursor() as cursor:
        cursor.execute("SELECT RELEASE_ALL_LOCKS()")
    monkeypatch.setattr("cdc.ledger.time.time_ns", lambda: 1_000_000_000)
    second, session = new_ledger()
    second.take()
    advance(second, session, "two")
    with pytest.raises(TakenError):
        advance(first, its_session, "stale")
