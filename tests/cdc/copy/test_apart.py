"""Rows of a chunk that the target refuses, on a real server: left out, stored, and let in later."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import pytest
from pymysql.cursors import Cursor

from cdc.apply.applier import Applier
from cdc.apply.isolate import Aside
from cdc.apply.plan import Plan, SourceTable, read_plan
from cdc.apply.quarantine import Quarantine
from cdc.apply.refusal import Refused
from cdc.apply.release import Releaser
from cdc.copy.apart import Apart
from cdc.database import Database
from cdc.event import Change
from cdc.mapping import CapabilityMapping
from cdc.quarantine import Bounds, QuarantineDesk
from cdc.session import Session, open_session
from cdc.state import Direction, StreamDesk
from tests.cdc.lab import ITEMS, execute, one_table

pytestmark = pytest.mark.real

NARROW = """CREATE TABLE products (legacy_id BIGINT PRIMARY KEY, title VARCHAR(200), price_cents SMALLINT,
    boost INT NOT NULL DEFAULT 7) CHARACTER SET utf8mb4"""


class Chunk:
    """A staged chunk of ``items``, about to be written."""

    def __init__(self, legacy: Database, new: Database, bounds: Bounds) -> None:
        self.legacy, self.new = legacy, new
        self.mapping = CapabilityMapping("apart", (one_table(),))
        StreamDesk(new, "apart").create()
        self.session: Session = open_session(new, load=True)
        with closing(open_session(legacy)) as source:
            self.plan: Plan = read_plan(self.mapping, source, self.session)
        self.source: SourceTable = self.plan.sources["items"]
        self.told: list[Aside[Change]] = []
        quarantine = Quarantine(self.session, "apart", Direction.TO_NEW, bounds)
        self.apart = Apart(self.session, quarantine, legacy.schema, self.told.extend)
        with self.session.cursor() as cursor:
            self.source.staging.create(cursor)
            text = execute(legacy, f"SELECT {self.source.staging.select()} FROM items ORDER BY id")
            lines = ("\n".join(str(row[0]) for row in text) + "\n").encode()
            self.source.staging.load(cursor, self.source.staging.after, lines, copied=True)
        self.session.commit()

    def write(self) -> None:
        def upsert(cursor: Cursor) -> None:
            for statement in self.source.writers[0].upserts():
                cursor.execute(statement)

        struck: list[Any] = []

        def strike(cursor: Cursor) -> None:
            cursor.execute(f"SELECT id FROM {self.source.staging.after} ORDER BY id")
            struck.extend(cursor.fetchall())

        self.apart.ready(self.source)
        self.session.begin()
        with self.session.cursor() as cursor:
            self.apart.write(cursor, self.source, upsert, strike)
        self.session.commit()
        self.apart.committed()
        self.struck = [row[0] for row in struck]


@pytest.fixture
def make_chunk(mysql_legacy, mysql_new, fresh_schema) -> Iterator[Callable[..., Chunk]]:  # type: ignore[no-untyped-def]
    made: list[Chunk] = []

    def make(rows: str, bounds: Bounds | None = None) -> Chunk:
        legacy, new = fresh_schema(mysql_legacy), fresh_schema(mysql_new)
        execute(legacy, ITEMS, f"INSERT INTO items (id, title, price) VALUES {rows}")
        execute(new, NARROW)
        made.append(Chunk(legacy, new, bounds or Bounds()))
        return made[-1]

    yield make
    for chunk in made:
        execute(chunk.new, "DELETE FROM strangler.quarantine WHERE capability = 'apart'")
        chunk.session.close()


def test_refused_rows_are_set_aside_and_the_others_are_copied(make_chunk: Callable[..., Chunk]) -> None:
    dear = {7, 123, 400}
    rows = ", ".join(f"({n}, 'a\\tb\\\\{n}', {5000 if n in dear else 1})" for n in range(1, 501))
    chunk = make_chunk(rows)
    chunk.write()
    assert execute(chunk.new, "SELECT COUNT(*) FROM products") == [(497,)]
    desk = QuarantineDesk(chunk.new, "apart")
    assert [(e.key, e.op, e.position) for e in desk.heads()] == [
        ("id=7", "r", "copy"),
        ("id=123", "r", "copy"),
        ("id=400", "r", "copy"),
    ]
    assert "price_cents" in (desk.heads()[0].error or "")
    assert [one.marks for one in chunk.told] == [(("items", "", str(n)),) for n in sorted(dear)]
    assert chunk.struck == sorted(dear)

    # an event of one of them comes, and waits; then all is mended and let in
    quarantine = Quarantine(chunk.session, "apart", Direction.TO_NEW, Bounds())
    applier = Applier(chunk.session, chunk.plan, quarantine)
    row = {"id": 123, "title": "later", "price": "6000.00", "status": 1, "code": None}
    applier.apply([[Change(0, "u", "shop", "items", row, row, None, "binlog.1", 4)]], lambda cursor: None)
    assert [(e.key, e.waiting_behind) for e in desk.heads()] == [("id=7", 0), ("id=123", 1), ("id=400", 0)]
    execute(chunk.new, "ALTER TABLE products MODIFY price_cents BIGINT")
    execute(
        chunk.new,
        "INSERT INTO strangler.quarantine_request (capability, direction, action, asked_at)"
        " VALUES ('apart', 'to_new', 'retry', UTC_TIMESTAMP(6))",
    )
    Releaser(chunk.session, applier, quarantine, "apart", Direction.TO_NEW, lambda cursor: None).look(1 << 60)
    execute(chunk.new, "DELETE FROM strangler.quarantine_request WHERE capability = 'apart'")
    assert desk.heads() == []
    assert execute(chunk.new, "SELECT * FROM products WHERE legacy_id IN (7, 123, 400) ORDER BY 1") == [
        (7, "a\tb\\7", 500000, 7),
        (123, "later", 600000, 7),
        (400, "a\tb\\400", 500000, 7),
    ]


def test_a_chunk_of_refused_rows_is_not_taken_for_bad_rows(make_chunk: Callable[..., Chunk]) -> None:
    chunk = make_chunk(", ".join(f"({n}, 'x', 5000)" for n in range(1, 50)), Bounds(max_keys_at_once=3))
    with pytest.raises(Refused, match="4 rows of one chunk are refused") as caught:
        chunk.write()
    chunk.session.rollback()
    assert caught.value.key == ("id",)
    assert (caught.value.change.after or {})["id"] == "1"
    assert QuarantineDesk(chunk.new, "apart").heads() == []


def test_a_full_quarantine_refuses_the_chunk(make_chunk: Callable[..., Chunk]) -> None:
    chunk = make_chunk("(1, 'x', 5000), (2, 'x', 5000), (3, 'x', 1)", Bounds(max_events=1))
    with pytest.raises(Refused, match="the quarantine is full: 1 events of at most 1"):
        chunk.write()
    chunk.session.rollback()
    assert QuarantineDesk(chunk.new, "apart").heads() == []
