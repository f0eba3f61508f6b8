"""Writers that go on while servers die under them: inserts, updates, deletes, changed keys, swapped unique values.

Each writes rows of its own (by the remainder of the id), so none waits for another. What happened to a transaction
whose COMMIT was not answered does not matter here: the tables of the two sides are compared, not a book.
"""

from __future__ import annotations

import random
import threading
from contextlib import closing

import pymysql
from pymysql.cursors import Cursor

from cdc.database import Database
from cdc.session import open_session, try_again

WRITERS = 3
AWAY_SECONDS = 0.1
PACE_SECONDS = 0.004


class Writer:
    """One writer, one thread. ``transactions`` counts those whose COMMIT was answered."""

    def __init__(self, database: Database, number: int, seed: int) -> None:
        self._database, self._number = database, number
        self._dice = random.Random(seed * 100 + number)
        self._ended, self._may = threading.Event(), threading.Event()
        self._resting = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"writer-{number}", daemon=True)
        self._ids: list[int] = []
        self._following = 1
        self.transactions = 0
        self.reconnects = 0
        self.failed: BaseException | None = None

    def start(self) -> None:
        self._may.set()
        self._thread.start()

    def rest(self) -> None:
        """Let it finish its transaction and wait. Blocks."""
        self._may.clear()
        self._resting.wait(120)
        self._check()

    def go_on(self) -> None:
        self._resting.clear()
        self._may.set()

    def end(self) -> None:
        self._ended.set()
        self._may.set()
        self._thread.join(120)
        self._check()

    def _check(self) -> None:
        if self.failed is not None:
            raise RuntimeError(f"writer {self._number} failed") from self.failed

    def _run(self) -> None:
        try:
            while not self._ended.is_set():
                try:
                    self._write()
                except (pymysql.err.OperationalError, pymysql.err.InterfaceError) as error:
                    if not try_again(error):
                        raise
                    self.reconnects += 1
                    self._ended.wait(AWAY_SECONDS)
        except BaseException as error:  # noqa: BLE001 - told by whoever waits for it
            self.failed = error
        finally:
            self._resting.set()

    def _write(self) -> None:
        with closing(open_session(self._database)) as session, session.cursor() as cursor:
            cursor.execute("SELECT id FROM accounts WHERE id %% %s = %s", (WRITERS, self._number))
            self._ids = [row[0] for row in cursor.fetchall()]
            self._following = max([self._following, *(number // WRITERS for number in self._ids)]) + 1
            session.commit()
            while not self._ended.is_set():
                if not self._may.is_set():
                    self._resting.set()
                    self._may.wait()
                    continue
                session.begin()
                kept = list(self._ids)
                try:
                    for _ in range(self._dice.randint(1, 5)):
                        self._one(cursor)
                    session.commit()
                except pymysql.err.OperationalError:
                    self._ids = kept
                    raise
                self.transactions += 1
                self._ended.wait(PACE_SECONDS)

    def _new_id(self) -> int:
        self._following += 1
        return self._following * WRITERS + self._number

    def _one(self, cursor: Cursor) -> None:
        kinds = ("open", "open", "change", "change", "change", "close", "key", "swap", "entry", "entry", "label")
        kind = self._dice.choice(kinds)
        if kind == "label":
            self._label(cursor)
        elif kind == "open" or len(self._ids) < 2:
            number = self._new_id()
            cursor.execute("INSERT INTO accounts VALUES (%s, %s, 1, 0)", (number, f"{number}@torture.test"))
            for seq in range(self._dice.randint(0, 3)):
                cursor.execute("INSERT INTO entries VALUES (%s, %s, %s, 'first')", (number, seq, seq))
            self._ids.append(number)
        elif kind == "swap":
            self._swap(cursor)
        else:
            self._account(cursor, kind)

    def _account(self, cursor: Cursor, kind: str) -> None:
        place = self._dice.randrange(len(self._ids))
        number = self._ids[place]
        if kind == "change":
            cursor.execute("UPDATE accounts SET balance = balance + 1, changes = changes + 1 WHERE id = %s", (number,))
        elif kind == "close":
            cursor.execute("DELETE FROM entries WHERE account_id = %s", (number,))
            cursor.execute("DELETE FROM accounts WHERE id = %s", (number,))
            self._ids.pop(place)
        elif kind == "key":
            other = self._new_id()
            cursor.execute("UPDATE accounts SET id = %s, changes = changes + 1 WHERE id = %s", (other, number))
            cursor.execute("UPDATE entries SET account_id = %s WHERE account_id = %s", (other, number))
            self._ids[place] = other
        else:
            note, seq = (
                self._dice.choice((None, "", " blank ", "täb\t\\ 'quote'", "\U0001f389")),
                self._dice.randint(0, 5),
            )
            cursor.execute(
                "INSERT INTO entries VALUES (%s, %s, 1, %s) ON DUPLICATE KEY UPDATE amount = amount + 1, note = %s",
                (number, seq, note, note),
            )

    def _swap(self, cursor: Cursor) -> None:
        """Two accounts exchange their e-mail addresses, which are unique."""
        one, two = self._dice.sample(self._ids, 2)
        cursor.execute("SELECT id, email FROM accounts WHERE id IN (%s, %s)", (one, two))
        emails = {row[0]: row[1] for row in cursor.fetchall()}
        for number, email in ((one, f"between {self._number}"), (two, emails[one]), (one, emails[two])):
            cursor.execute("UPDATE accounts SET email = %s, changes = changes + 1 WHERE id = %s", (email, number))

    def _label(self, cursor: Cursor) -> None:
        """A text key, case-insensitive: changed in case only, deleted, made again."""
        name = f"label {self._number} {self._dice.randint(0, 20)}"
        kind = self._dice.randrange(4)
        if kind == 0:
            cursor.execute("DELETE FROM labels WHERE name = %s", (name,))
        elif kind == 1:
            cursor.execute("UPDATE labels SET name = %s WHERE name = %s", (name.upper(), name))
        else:
            cursor.execute(
                "INSERT INTO labels VALUES (%s, 1) ON DUPLICATE KEY UPDATE uses = uses + 1, name = VALUES(name)",
                (name,),
            )
