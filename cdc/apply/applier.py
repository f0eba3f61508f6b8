"""A batch of changes in, one transaction of the target out; the position is in the same transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import pymysql
from pymysql.cursors import Cursor

from cdc.apply.lift import CHECKED, UNCHECKED, Lift
from cdc.apply.plan import Plan
from cdc.apply.reduce import MissingKey, reduce
from cdc.apply.stage import StagingError
from cdc.apply.text import MissingColumn, load_text
from cdc.apply.write import Writer
from cdc.event import Change, Truncate
from cdc.session import Session, try_again

Step = Sequence[Change] | Truncate
_DUPLICATE, _NO_TEMPORARY = 1062, 1562
_REFUSALS = (pymysql.err.MySQLError, StagingError, MissingColumn, MissingKey, TypeError)


class Refused(Exception):
    """The target, or the mapping, does not take an event. Nothing of its batch was committed."""

    def __init__(self, change: Change, key: tuple[str, ...], cause: Exception) -> None:
        arguments = cause.args
        super().__init__(str(arguments[-1] if arguments else cause))
        self.change, self.key, self.cause = change, key, cause


class Applier:
    """Writes batches through one session on the target. Not for use from several threads."""

    def __init__(self, session: Session, plan: Plan) -> None:
        """Makes the staging tables. Raises pymysql.err.MySQLError."""
        self._session, self._plan = session, plan
        self._staged = False
        self._lifts: dict[str, Lift] = {}
        self.renew(plan)

    def renew(self, plan: Plan) -> None:
        """Go on by another plan: a table has another shape. Makes the staging tables anew."""
        self._plan, self._staged = plan, False
        with self._session.cursor() as cursor:
            for source in plan.sources.values():
                source.staging.create(cursor)
            self._lifts = {}
            for number, writer in enumerate(plan.writers):
                lift = Lift.of(writer, number)
                if lift is not None and _made(cursor, lift):
                    self._lifts[writer.mapping.table] = lift
        self._session.commit()

    def apply(self, steps: Iterable[Step], record: Callable[[Cursor], None]) -> None:
        """Apply the steps in order and commit, with what ``record`` writes in the same transaction.

        A batch that a constraint refuses as a whole (values that swap between rows, a child before its parent) is
        taken apart and applied in source order. Raises Refused when one event by itself is refused, and
        pymysql.err.MySQLError for trouble with the connection or locks (``session.try_again``): then nothing is
        committed, and the same call on a fresh session is right.
        """
        try:
            self._session.begin()
            with self._session.cursor() as cursor:
                for step in steps:
                    if isinstance(step, Truncate):
                        self._clear(cursor, step.table)
                    elif step:
                        self._apart(cursor, step)
                record(cursor)
            self._session.commit()
        except BaseException:
            if self._session.open:
                self._session.rollback()
            raise
        self._empty()

    def _apart(self, cursor: Cursor, changes: Sequence[Change]) -> None:
        """All changes at once if the target takes them so, else in halves."""
        cursor.execute("SAVEPOINT strangler")
        try:
            self._write(cursor, changes)
        except _REFUSALS as error:
            if try_again(error):
                raise
            if len(changes) == 1:
                raise Refused(changes[0], self._plan.keys[changes[0].table], error) from error
            cursor.execute("ROLLBACK TO SAVEPOINT strangler")
            middle = len(changes) // 2
            self._apart(cursor, changes[:middle])
            self._apart(cursor, changes[middle:])

    def _write(self, cursor: Cursor, changes: Sequence[Change]) -> None:
        if self._staged:
            for source in self._plan.sources.values():
                source.staging.empty(cursor)
        batches = reduce(changes, self._plan.keys)
        loaded: dict[str, tuple[bool, bool]] = {}
        for name, batch in batches.items():
            source = self._plan.sources[name]
            gone, stored = batch.gone(source.watched), batch.stored()
            self._staged = True
            if gone:
                source.staging.load(cursor, source.staging.before, load_text(gone, source.staging.names))
            if stored:
                source.staging.load(cursor, source.staging.after, load_text(stored, source.staging.names))
            loaded[name] = (bool(gone), bool(stored))
        for writer in reversed(self._plan.writers):
            gone_rows, stored_rows = loaded.get(writer.mapping.source, (False, False))
            for statement in writer.deletes(gone=gone_rows, stored=stored_rows):
                cursor.execute(statement)
        for writer in self._plan.writers:
            if loaded.get(writer.mapping.source, (False, False))[1]:
                self._upsert(cursor, writer)
                _run(cursor, writer.strikes())

    def _upsert(self, cursor: Cursor, writer: Writer) -> None:
        lift = self._lifts.get(writer.mapping.table)
        if lift is None:
            _run(cursor, writer.upserts())
            return
        cursor.execute("SAVEPOINT strangler_upsert")
        try:
            _run(cursor, writer.upserts())
        except pymysql.err.IntegrityError as error:
            if error.args[0] != _DUPLICATE:
                raise
            cursor.execute("ROLLBACK TO SAVEPOINT strangler_upsert")
            *kept, taken_out = lift.take_out()
            _run(cursor, kept)
            cursor.execute(UNCHECKED)
            try:
                cursor.execute(taken_out)
            finally:
                cursor.execute(CHECKED)
            _run(cursor, [*writer.updates(), lift.put_back(), writer.inserts()])

    def _clear(self, cursor: Cursor, table: str) -> None:
        for writer in reversed(self._plan.writers):
            if writer.mapping.source == table:
                cursor.execute(writer.clear)

    def _empty(self) -> None:
        """After the commit, where TRUNCATE (which commits by itself) does no harm and costs less than DELETE."""
        if not self._staged:
            return
        with self._session.cursor() as cursor:
            for source in self._plan.sources.values():
                cursor.execute(f"TRUNCATE TABLE {source.staging.after}")
                cursor.execute(f"TRUNCATE TABLE {source.staging.before}")
        self._staged = False


def _run(cursor: Cursor, statements: Iterable[str]) -> None:
    for statement in statements:
        cursor.execute(statement)


def _made(cursor: Cursor, lift: Lift) -> bool:
    """Make its table; False for a partitioned one, of which there can be no temporary copy."""
    try:
        _run(cursor, lift.create)
    except pymysql.err.MySQLError as error:
        if error.args[0] != _NO_TEMPORARY:
            raise
        return False
    return True
