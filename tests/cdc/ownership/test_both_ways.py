"""Ownership moves there and back, twice, under writers and kills: every row is equal at the end, each write is in once
(invariants 12, 16 and 18, as far as they are about rows)."""

from __future__ import annotations

import random
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pymysql
import pytest

from cdc.ownership.arm import arm
from cdc.ownership.proof import at_risk, settle
from cdc.ownership.side import Side, Sides
from cdc.session import Session, open_session
from tests.cdc.lab import engine_files, execute
from tests.cdc.ownership import shop
from tests.cdc.ownership.both_ways import BothWays

pytestmark = pytest.mark.real

ITEMS, SEED = 200, 20261125


@dataclass
class Service:
    """Writes on whichever side lets it, as requests behind a proxy would, and knows what was acknowledged."""

    sides: Sides
    cents: dict[int, int] = field(default_factory=dict)  # by order
    statuses: dict[int, int] = field(default_factory=dict)  # by item
    mails: list[str] = field(default_factory=list)
    on_legacy: dict[int, int] = field(default_factory=dict)  # updates of an item, by side
    on_new: dict[int, int] = field(default_factory=dict)
    sides_used: set[Side] = field(default_factory=set)
    failed: list[BaseException] = field(default_factory=list)
    armed: threading.Event = field(default_factory=threading.Event)  # nothing is carried back before
    counting: threading.Lock = field(default_factory=threading.Lock)

    @contextmanager
    def writing(self) -> Iterator[None]:
        ended = threading.Event()
        jobs: list[Callable[[Session, Session, random.Random], None]] = [
            self._order,
            self._order,
            self._group,
            self._rest,
        ]
        threads = [threading.Thread(target=self._run, args=(job, n, ended), daemon=True) for n, job in enumerate(jobs)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            ended.set()
            for thread in threads:
                thread.join(60)
        assert not self.failed, self.failed

    def _run(self, job: Callable[..., None], number: int, ended: threading.Event) -> None:
        dice = random.Random(SEED + number)
        try:
            with closing(open_session(self.sides.legacy)) as legacy, closing(open_session(self.sides.new)) as new:
                while not ended.is_set():
                    job(legacy, new, dice)
                    ended.wait(0.004)
        except BaseException as error:  # noqa: BLE001 - told by the test
            self.failed.append(error)

    def _either(
        self, legacy: Session, new: Session, old: str, fresh: str, arguments: tuple[object, ...]
    ) -> tuple[Side, int]:
        """On the side that lets it; the side, and the id of what was inserted."""
        until = time.monotonic() + 60
        while time.monotonic() < until:
            for side, session, statement in ((Side.LEGACY, legacy, old), (Side.NEW, new, fresh)):
                try:
                    with session.cursor() as cursor:
                        if cursor.execute(statement, arguments) != 1:
                            session.rollback()  # the row has not come here yet: no trigger fires where there is none
                            continue
                        made = cursor.lastrowid or 0
                    session.commit()
                    self.sides_used.add(side)
                    return side, made
                except pymysql.err.MySQLError as error:
                    session.rollback()
                    if error.args[0] != 1644:
                        raise
            time.sleep(0.002)
        raise TimeoutError(f"no side took {old}")

    def _order(self, legacy: Session, new: Session, dice: random.Random) -> None:
        mine = threading.get_ident()
        ids = self.__dict__.setdefault(f"ids_{mine}", [])
        if not ids or dice.random() < 0.3:
            old = "INSERT INTO orders (state, total, note) VALUES ('new', 1, 'old')"
            _, made = self._either(legacy, new, old, "INSERT INTO purchases (state, cents) VALUES ('NEW', 100)", ())
            assert made not in self.cents, "an id was given twice"
            ids.append(made)
            self.cents[made] = 100
        elif dice.random() < 0.15:
            gone = ids.pop(dice.randrange(len(ids)))
            self._either(
                legacy, new, "DELETE FROM orders WHERE id = %s", "DELETE FROM purchases WHERE legacy_id = %s", (gone,)
            )
            del self.cents[gone]
        else:
            changed = dice.choice(ids)
            self._either(
                legacy,
                new,
                "UPDATE orders SET state = 'paid', total = total + 1 WHERE id = %s",
                "UPDATE purchases SET state = 'PAID', cents = cents + 100, own = own + 1 WHERE legacy_id = %s",
                (changed,),
            )
            self.cents[changed] += 100

    def _group(self, legacy: Session, new: Session, dice: random.Random) -> None:
        item = dice.randint(1, ITEMS)
        status = (self.statuses.get(item, 0) + 1) % 3
        word = ("listed", "reserved", "sold")[status]
        side, _ = self._either(
            legacy,
            new,
            f"UPDATE items SET status = {status}, reserved_by = '{dice.random()}' WHERE id = %s",
            f"UPDATE stock SET availability = '{word}', reserved_by = '{dice.random()}' WHERE legacy_id = %s",
            (item,),
        )
        self.statuses[item] = status
        self._count(self.on_legacy if side is Side.LEGACY else self.on_new, item)

    def _count(self, counts: dict[int, int], item: int) -> None:
        with self.counting:
            counts[item] = counts.get(item, 0) + 1

    def _rest(self, legacy: Session, new: Session, dice: random.Random) -> None:
        """What legacy writes whoever owns the group, and what the service appends."""
        item, text = dice.randint(1, ITEMS), f"{dice.random()}"
        with legacy.cursor() as cursor:
            cursor.execute("UPDATE items SET title = %s, price = price + 1 WHERE id = %s", (text, item))
            if dice.random() < 0.2:
                cursor.execute("INSERT INTO items (title, price, reserved_by) VALUES (%s, 1, 'born')", (text,))
        legacy.commit()
        self._count(self.on_legacy, item)
        if not self.armed.is_set():
            return
        with new.cursor() as cursor:
            cursor.execute("INSERT INTO outbox (number, text) VALUES (%s, 'hello')", (text,))
        new.commit()
        self.mails.append(text)


@pytest.mark.timeout(900)
def test_ownership_goes_there_and_back_under_writers_and_kills(  # type: ignore[no-untyped-def]
    mysql_legacy, mysql_new, fresh_schema, debezium_jars, tmp_path: Path
):
    sides = shop.make(fresh_schema(mysql_legacy), fresh_schema(mysql_new))
    execute(sides.legacy, "INSERT INTO items (title, price) VALUES " + ", ".join(["('coat', 1)"] * ITEMS))
    mapping = shop.mapping(f"buying_{secrets.token_hex(3)}")
    engines = engine_files(debezium_jars, tmp_path / "forth"), engine_files(debezium_jars, tmp_path / "back")
    both, service = BothWays(mapping, sides, engines), Service(sides)
    with both.streaming():
        with service.writing():
            arm(mapping, sides)  # under writers, while it streams
            service.armed.set()
            for number, to in enumerate((Side.NEW, Side.LEGACY, Side.NEW, Side.LEGACY, Side.NEW)):
                time.sleep(1)
                both.move(to)
                time.sleep(0.5)
                if number == 0:
                    both.kill()
                    both.start()
        both.settle()
        equal(sides, service)
        statuses = [lab.desk.status() for lab in (both.forth, both.back)]
        assert [status.quarantined for status in statuses] == [0, 0]
        assert all(status.detail.left_out > 0 for status in statuses)
        assert all(one.proven for one in at_risk(mapping, sides, settle(sides, mapping.capability, Side.NEW)))
    assert service.sides_used == set(Side)
    assert both.noted == {"orders", "items", "purchases", "stock"}


def equal(sides: Sides, service: Service) -> None:
    legacy, new = sides.legacy, sides.new
    orders = execute(legacy, "SELECT id, UPPER(state), CAST(ROUND(total * 100) AS SIGNED) FROM orders ORDER BY id")
    assert execute(new, "SELECT legacy_id, state, cents FROM purchases ORDER BY 1") == orders
    assert {row[0]: row[2] for row in orders} == service.cents and len(orders) > 20
    items = execute(
        legacy,
        "SELECT id, ELT(status + 1, 'listed', 'reserved', 'sold'), reserved_by, title FROM items ORDER BY id",
    )
    assert execute(new, "SELECT legacy_id, availability, reserved_by, title FROM stock ORDER BY 1") == items
    words = {number: word for number, word, *_ in items}
    assert len(items) > ITEMS
    assert all(words[n] == ("listed", "reserved", "sold")[status] for n, status in service.statuses.items())
    assert execute(new, "SELECT * FROM prices ORDER BY 1") == execute(legacy, "SELECT id, price FROM items ORDER BY 1")
    assert sorted(m for (m,) in execute(legacy, "SELECT message FROM mails")) == sorted(service.mails)
    assert execute(legacy, "SELECT 1 FROM mails WHERE body <> 'hello' OR sent") == []
    # what only one side has was left alone; nothing went round: legacy's trigger counts every update of a row
    assert execute(legacy, "SELECT 1 FROM orders WHERE note <> 'old'") == []
    assert execute(new, "SELECT 1 FROM purchases WHERE own < 7") == []
    for item, changes in execute(legacy, f"SELECT id, changes FROM items WHERE id <= {ITEMS}"):
        least = service.on_legacy.get(item, 0)
        assert least <= changes <= least + service.on_new.get(item, 0), (item, changes)
