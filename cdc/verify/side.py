"""One server of a comparison: sends the statements, gives values."""

from __future__ import annotations

import queue
import threading
from collections.abc import Collection, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import pymysql
from pymysql.cursors import Cursor

from cdc.database import Database
from cdc.expression import quote
from cdc.ranges import Bound, KeyRange
from cdc.schema import Column
from cdc.session import Session, open_session
from cdc.verify.canonical import Form, JsonText, literal
from cdc.verify.errors import VerifyError
from cdc.verify.plan import SidePlan

Key = tuple[str, ...]
"""A row's key in shown forms: the same text on both sides for the same row."""
Row = tuple[str | None, ...]
"""The mapped columns of one row in shown forms, without the key."""
Digest = tuple[int, Row]
"""A row's checksum, and the columns left out of it because no SQL gives them the same form on both servers."""

# Statements stay well below any max_allowed_packet, and IN lists within what range optimisers plan exactly.
KEYS_PER_STATEMENT = 500


@dataclass(frozen=True)
class Checksum:
    """Of a set of rows: how many, and the XOR of their digests."""

    rows: int
    xor: int

    def __xor__(self, other: Checksum) -> Checksum:
        return Checksum(self.rows + other.rows, self.xor ^ other.xor)


NOTHING = Checksum(0, 0)


class Sessions:
    """Sessions on one database, opened as they are needed, usable from several threads."""

    def __init__(self, name: str, database: Database) -> None:
        self.name = name
        self.database = database
        self._idle: queue.LifoQueue[Session] = queue.LifoQueue()
        self._lock = threading.Lock()
        self.busy = 0  # how many are in use

    @contextmanager
    def session(self) -> Iterator[Session]:
        """A session that is nobody else's meanwhile, autocommit on. Raises VerifyError for what the server refuses."""
        with ExitStack() as undo:
            try:
                session = self._take()
                undo.callback(session.close)
                with self._counted():
                    yield session
            except pymysql.MySQLError as error:
                said = error.args[-1] if error.args else error
                raise VerifyError(f"the {self.name} side ({self.database}) failed: {said}") from error
            undo.pop_all()
            self._idle.put(session)

    @contextmanager
    def _counted(self) -> Iterator[None]:
        with self._lock:
            self.busy += 1
        try:
            yield
        finally:
            with self._lock:
                self.busy -= 1

    def _take(self) -> Session:
        try:
            return self._idle.get_nowait()
        except queue.Empty:
            session = open_session(self.database)
            session.autocommit(True)
            return session

    def close(self) -> None:
        while True:
            try:
                self._idle.get_nowait().close()
            except queue.Empty:
                return


class Side:
    """One table of one side, read through its plan."""

    def __init__(self, sessions: Sessions, plan: SidePlan, key_columns: Sequence[Column]) -> None:
        self.sessions = sessions
        self.plan = plan
        self.key_columns = tuple(key_columns)

    def checksum(self, keys: KeyRange) -> Checksum:
        (row,) = self._read(f"SELECT COUNT(*), BIT_XOR({self.plan.digest}) {self._from(keys)}")
        return Checksum(int(row[0]), _number(row[1]))

    def count(self) -> int:
        """Rows of the whole table, ``where`` left out."""
        return int(self._read(f"SELECT COUNT(*) FROM {quote(self.plan.table)}")[0][0])

    def bucket_checksums(self, keys: KeyRange, buckets: int) -> dict[int, Checksum]:
        rows = self._read(
            f"SELECT {self.plan.key_hash} MOD {buckets} AS bucket, COUNT(*), BIT_XOR({self.plan.digest})"
            f" {self._from(keys)} GROUP BY bucket ORDER BY NULL"
        )
        return {int(bucket): Checksum(int(count), _number(xor)) for bucket, count, xor in rows}

    def digests(self, keys: KeyRange, buckets: tuple[int, Sequence[int]] | None = None) -> dict[Key, Digest]:
        """Every row of the range; with ``buckets`` (how many there are, which are wanted) only those of these buckets.

        Raises VerifyError when two rows have one key.
        """
        extra = ""
        if buckets is not None:
            count, wanted = buckets
            extra = f"{self.plan.key_hash} MOD {count} IN ({','.join(map(str, wanted))})"
        return self._digests(self._read(f"SELECT {self._digest_columns()} {self._from(keys, extra)}"))

    def digests_of(self, keys: Sequence[Key]) -> dict[Key, Digest]:
        """Of those of the keys that exist."""
        return self._digests(self._by_key(self._digest_columns(), keys), wanted=frozenset(keys))

    def rows_of(self, keys: Sequence[Key]) -> dict[Key, Row]:
        """The mapped columns of those of the keys that exist, in shown forms."""
        forms = self.plan.columns
        shown = [form.shown for form in (*self.plan.keys, *forms)]
        width = len(self.plan.keys)
        wanted = frozenset(keys)
        found: dict[Key, Row] = {}
        for row in self._by_key(", ".join(shown), keys):
            key = tuple(row[:width])
            if key in wanted:
                found[key] = _fetched(forms, row[width:])
        return found

    def keys_at(self, places: Sequence[Bound]) -> list[Key]:
        """The keys of the rows at these places of the walk, of those that exist."""
        shown = ", ".join(form.shown for form in self.plan.keys)
        found: list[Key] = []
        for start in range(0, len(places), KEYS_PER_STATEMENT):
            some = places[start : start + KEYS_PER_STATEMENT]
            rows = self._read(f"SELECT {shown} {self._from(KeyRange(), _one_of(self.plan.walk, some))}")
            found += [tuple(row) for row in rows]
        return found

    def bound(self, after: Bound | None, rows: int) -> Bound | None:
        """The key of the ``rows``-th row after ``after`` in walking order; None when fewer are left."""
        return self.middle(KeyRange(after), rows)

    def middle(self, keys: KeyRange, rows: int) -> Bound | None:
        """The key of the ``rows``-th row of the range in walking order, ``where`` left out; None if it has fewer."""
        walk = ", ".join(self.plan.walk)
        shown = ", ".join(form.shown for form in self.plan.walk_forms)
        found = self._read(
            f"SELECT {shown} FROM {quote(self.plan.table)} WHERE {keys.predicate(self.plan.walk)}"
            f" ORDER BY {walk} LIMIT 1 OFFSET {rows - 1}"
        )
        if not found:
            return None
        return tuple(literal(column, text) for column, text in zip(self.plan.walk_columns, found[0], strict=True))

    def lock(self, cursor: Cursor, keys: Sequence[Key]) -> frozenset[Key]:
        """Lock the rows of these keys, and the gaps of those that don't exist, in the cursor's transaction.

        Gives the keys that exist. Raises pymysql.err.OperationalError for a deadlock or a lock that is not had in time.
        """
        shown = ", ".join(form.shown for form in self.plan.keys)
        found: set[Key] = set()
        for start in range(0, len(keys), KEYS_PER_STATEMENT):
            condition = self.key_condition(keys[start : start + KEYS_PER_STATEMENT])
            cursor.execute(f"SELECT {shown} {self._from(KeyRange(), condition)} FOR UPDATE")
            found.update(tuple(row) for row in cursor.fetchall())
        return frozenset(keys) & found

    def key_condition(self, keys: Sequence[Key]) -> str:
        """Rows whose key columns equal one of the keys, as the server's collation sees it (a few more may match)."""
        return _one_of(self.plan.matches, [self._literals(key) for key in keys])

    def refuse_twice(self, keys: Collection[Key]) -> None:
        """Raises VerifyError if there are keys, each of which several rows were found to have."""
        for key in sorted(keys):
            shown = ", ".join(f"{c.name} {v}" for c, v in zip(self.key_columns, key, strict=True))
            raise VerifyError(
                f"{self.plan.table} of the {self.sessions.name} side has several rows with the key {shown}: "
                "the mapping's key expressions must tell all source rows apart"
            )

    def _literals(self, key: Key) -> list[str]:
        return [literal(column, text) for column, text in zip(self.key_columns, key, strict=True)]

    def _digest_columns(self) -> str:
        fetched = [form.shown for form in self.plan.columns if form.fetched]
        return ", ".join([*(form.shown for form in self.plan.keys), self.plan.digest, *fetched])

    def _digests(self, rows: Sequence[tuple[Any, ...]], wanted: frozenset[Key] | None = None) -> dict[Key, Digest]:
        width = len(self.plan.keys)
        fetched = [form for form in self.plan.columns if form.fetched]
        found: dict[Key, Digest] = {}
        for row in rows:
            key = tuple(row[:width])
            if wanted is not None and key not in wanted:
                continue
            if key in found:
                self.refuse_twice({key})
            found[key] = (_number(row[width]), _fetched(fetched, row[width + 1 :]))
        return found

    def _by_key(self, columns: str, keys: Sequence[Key]) -> list[tuple[Any, ...]]:
        rows: list[tuple[Any, ...]] = []
        for start in range(0, len(keys), KEYS_PER_STATEMENT):
            condition = self.key_condition(keys[start : start + KEYS_PER_STATEMENT])
            rows += self._read(f"SELECT {columns} {self._from(KeyRange(), condition)}")
        return rows

    def _from(self, keys: KeyRange, extra: str = "") -> str:
        conditions = [keys.predicate(self.plan.walk)] if keys != KeyRange() else []
        conditions += [f"({condition})" for condition in (self.plan.where, extra) if condition]
        return f"FROM {quote(self.plan.table)} WHERE {' AND '.join(conditions) or 'TRUE'}"

    def _read(self, sql: str) -> Sequence[tuple[Any, ...]]:
        with self.sessions.session() as session, session.cursor(Cursor) as cursor:
            cursor.execute(sql)
            return cursor.fetchall()


def _one_of(columns: Sequence[str], places: Sequence[Sequence[str]]) -> str:
    if len(columns) == 1:
        return f"{columns[0]} IN ({','.join(values[0] for values in places)})"
    return f"({','.join(columns)}) IN ({','.join(f'({chr(44).join(values)})' for values in places)})"


def _number(digest: int | bytes | None) -> int:
    """A digest as it came; None where a row has more text than a packet may hold, which BIT_XOR leaves out as well."""
    return int.from_bytes(digest, "big") if isinstance(digest, bytes) else int(digest or 0)


def _fetched(forms: Sequence[Form], values: Sequence[str | None]) -> Row:
    """Values of fetched forms compare as what they mean, not as text."""
    if not any(form.fetched for form in forms):
        return tuple(values)
    pairs = zip(forms, values, strict=True)
    return tuple(JsonText(value) if form.fetched and value is not None else value for form, value in pairs)
