"""A batch of changes in, one transaction of the target out; the position is in the same transaction."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import suppress

import pymysql
from pymysql.cursors import Cursor

from cdc.apply.identity import Mark
from cdc.apply.isolate import Aside, TooManyFail, isolate
from cdc.apply.lift import CHECKED, UNCHECKED, Lift
from cdc.apply.plan import Plan
from cdc.apply.prepare import Texts, texts_of
from cdc.apply.quarantine import Quarantine, QuarantineFull
from cdc.apply.reduce import MissingKey
from cdc.apply.refusal import REFUSALS, Refused, of_the_row
from cdc.apply.stage import StagingError
from cdc.apply.text import MissingColumn, copied_text, load_text
from cdc.apply.write import Writer
from cdc.cascade import Removed
from cdc.event import Change, Truncate
from cdc.mapping import Writes
from cdc.ownership.gate import Gate
from cdc.ownership.recent import note
from cdc.session import Session, try_again
from cdc.state import Direction

__all__ = ["Applier", "Refused", "Step"]

Step = Sequence[Change] | Truncate | Removed
_DUPLICATE, _NO_TEMPORARY = 1062, 1562
_NOTHING = Texts(b"", b"")


class Applier:
    """Writes batches through one session on the target. Not for use from several threads."""

    def __init__(
        self, session: Session, plan: Plan, quarantine: Quarantine | None = None, gate: Gate | None = None
    ) -> None:
        """Makes the staging tables, and reads what is in quarantine; without one, whatever can't be applied is raised.
        ``gate`` says in each transaction what comes from an owner; without one, everything does. Raises
        pymysql.err.MySQLError."""
        self._session, self._plan, self._quarantine, self._gate = session, plan, quarantine, gate
        self._owned = True  # what is being written comes from the owner
        self.left_out = 0  # changes that were not applied, as they did not
        self._staged = False
        self._lifts: dict[str, Lift] = {}
        self.renew(plan)

    def renew(self, plan: Plan) -> None:
        """Go on by another plan: a table has another shape. Makes the staging tables anew."""
        self._plan, self._staged = plan, False
        self._marks = plan.marks
        with self._session.cursor() as cursor:
            for staging in (*(source.staging for source in plan.sources.values()), *plan.cascades.stagings):
                staging.create(cursor)
            self._lifts = {}
            for number, writer in enumerate(plan.writers):
                lift = Lift.of(writer, number)
                if lift is not None and _made(cursor, lift):
                    self._lifts[writer.mapping.table] = lift
        self._session.commit()
        if self._quarantine is not None:
            self._quarantine.load(self._marks)

    def apply(self, steps: Iterable[Step], record: Callable[[Cursor], None]) -> list[Aside[Change]]:
        """Apply the steps in order and commit, with what ``record`` writes in the same transaction.

        A batch that a constraint refuses as a whole (values that swap between rows, a child before its parent) is
        taken apart and applied in source order. Events that are refused by themselves for their row's values, and
        later ones of the same row, are stored in quarantine in the same transaction and given back; everything else
        goes in. Raises Refused for an event that can't be set aside, and pymysql.err.MySQLError for trouble with the
        connection or locks (``session.try_again``): then nothing is committed, and the same call on a fresh session
        is right.
        """
        if self._quarantine is not None:
            self._quarantine.look_beside()
        try:
            self._session.begin()
            with self._session.cursor() as cursor:
                for owned, step in self._admit(cursor, steps):
                    self._owned = owned
                    if isinstance(step, Truncate):
                        self._clear(cursor, step.table)
                        if self._quarantine is not None:
                            self._quarantine.truncated(cursor, step)
                    elif isinstance(step, Removed):
                        self._cascade(cursor, step)
                    elif step:
                        self._take(cursor, step)
                record(cursor)
            self._session.commit()
        except BaseException:
            if self._quarantine is not None:
                self._quarantine.rolled_back()
            if self._session.open:
                self._session.rollback()
            raise
        self._empty()
        return self._quarantine.committed() if self._quarantine is not None else []

    @property
    def plan(self) -> Plan:
        return self._plan

    def enter(self, cursor: Cursor) -> None:
        """In the caller's transaction, before ``attempt`` or ``isolated``: ask the gate."""
        if self._gate is not None:
            self._owned = self._gate.opens(self._gate.enter(cursor))

    def _admit(self, cursor: Cursor, steps: Iterable[Step]) -> list[tuple[bool, Step]]:
        """The steps with whether each comes from the owner, without what nobody writes if it does not."""
        if self._gate is None:
            return [(True, step) for step in steps]
        row = self._gate.enter(cursor)
        split = self._gate.split(row, steps)
        armed = row is not None or self._gate.opens(row)  # a way back that was never armed carries nothing at all
        used = {writer.mapping.source for writer in self._plan.unowned} if armed else set[str]()
        admitted: list[tuple[bool, Step]] = []
        for owned, step in split:
            if isinstance(step, Truncate):
                if owned or step.table in used:
                    admitted.append((owned, step))
                continue
            if isinstance(step, Removed):
                if owned:  # what cascades is fenced with its parent: ``ownership.arm`` lets none cross the border
                    admitted.append((owned, step))
                continue
            kept = step if owned else [change for change in step if change.table in used]
            self.left_out += len(step) - len(kept)
            if self._gate.direction is Direction.TO_LEGACY:
                kept = [change for change in kept if _touches(change, self._plan)]
            admitted.append((owned, kept))
        if row is not None and row.watch:
            changes = [
                c for owned, step in admitted if owned and not isinstance(step, (Truncate, Removed)) for c in step
            ]
            note(cursor, self._gate.capability, self._gate.direction, changes, self._plan.owned_keys)
        return admitted

    @property
    def _writers(self) -> tuple[Writer, ...]:
        return self._plan.writers if self._owned else self._plan.unowned

    def isolated(
        self, cursor: Cursor, changes: Sequence[Change], held: Collection[Mark], most_keys: int
    ) -> list[Aside[Change]]:
        """Apply these in the caller's transaction, but for those that are refused, those with a mark that is ``held``,
        and what has to wait behind them; gives these. Raises as ``apply`` does, and TooManyFail."""
        return isolate(changes, lambda some: self.attempt(cursor, some), self._marks_of, held, most_keys)

    def _take(self, cursor: Cursor, changes: Sequence[Change]) -> None:
        """In the caller's transaction: at the target or in quarantine."""
        quarantine = self._quarantine
        try:
            if quarantine is None:
                self.isolated(cursor, changes, (), 0)
            else:
                held, most = quarantine.held_among(changes), quarantine.bounds.most_keys
                aside = self.isolated(cursor, changes, held, most)
                quarantine.add(cursor, aside)
                self._spare(cursor, aside)
        except TooManyFail as error:
            raise self._refused(error.change, error.cause, error.keys) from error
        except QuarantineFull as error:
            key = self._plan.keys[error.change.table]
            way_out = "mend what is there: strangler quarantine list, quarantine retry --all; or give it more room"
            raise Refused(error.change, key, error, str(error), way_out) from error

    def _spare(self, cursor: Cursor, aside: Sequence[Aside[Change]]) -> None:
        """While a copy is under way: what the target has of these rows is not swept away as if the source had them no
        more, for the service's own columns are in it."""
        for name, source in self._plan.sources.items():
            rows = [one.change.after for one in aside if one.change.table == name and one.change.after is not None]
            if not rows or not any(writer.strike_from for writer in source.writers):
                continue
            cursor.execute("SAVEPOINT strangler")
            self._staged = True
            with suppress(StagingError, MissingColumn, pymysql.err.DataError):  # the target's key can't be worked out
                source.staging.empty(cursor)
                source.staging.load(cursor, source.staging.after, load_text(rows, source.staging.names))
                for writer in source.writers:
                    _run(cursor, writer.strikes())

    def attempt(self, cursor: Cursor, changes: Sequence[Change], copied: Sequence[Change] = ()) -> Exception | None:
        """In the caller's transaction: all of them in, or why not, and none of them. ``copied``, rows of a copy, come
        after the changes."""
        cursor.execute("SAVEPOINT strangler")
        try:
            self._write(cursor, changes)
            if copied:
                self._write_copied(cursor, copied)
        except REFUSALS as error:
            if try_again(error):
                raise
            if len(changes) + len(copied) == 1 and not of_the_row(error):
                raise self._refused([*changes, *copied][0], error) from error
            cursor.execute("ROLLBACK TO SAVEPOINT strangler")
            return error
        return None

    def _refused(self, change: Change, cause: Exception, keys: int = 1) -> Refused:
        key = self._plan.keys[change.table]
        if keys == 1:
            return Refused(change, key, cause)
        words = f"{keys:,} rows of one batch are refused, so it is the mapping or the table that is wrong: {cause}"
        return Refused(change, key, cause, words)

    def _marks_of(self, change: Change) -> tuple[Mark, ...]:
        marks = self._marks.get(change.table)
        try:
            return marks.of(change) if marks is not None else ()
        except KeyError as error:
            raise self._refused(change, MissingKey(change, str(error.args[0]))) from error

    def _write(self, cursor: Cursor, changes: Sequence[Change]) -> None:
        if self._staged:
            for source in self._plan.sources.values():
                source.staging.empty(cursor)
        loaded = texts_of(changes, self._plan)
        for name, texts in loaded.items():
            staging = self._plan.sources[name].staging
            self._staged = True
            if texts.gone:
                staging.load(cursor, staging.before, texts.gone)
            if texts.stored:
                staging.load(cursor, staging.after, texts.stored)
        for writer in reversed(self._writers):
            gone, stored = loaded.get(writer.mapping.source, _NOTHING)
            for statement in writer.deletes(gone=bool(gone), stored=bool(stored)):
                cursor.execute(statement)
        for writer in self._writers:
            if loaded.get(writer.mapping.source, _NOTHING).stored:
                self._upsert(cursor, writer)
                _run(cursor, writer.strikes())

    def _write_copied(self, cursor: Cursor, changes: Sequence[Change]) -> None:
        for name, source in self._plan.sources.items():
            rows = [change.after or {} for change in changes if change.table == name]
            if rows:
                self._staged = True
                source.staging.empty(cursor)
                source.staging.load(cursor, source.staging.after, copied_text(rows, source.staging.names), copied=True)
                for writer in source.writers:
                    _run(cursor, writer.deletes(gone=False, stored=True))
                    self._upsert(cursor, writer)

    def _upsert(self, cursor: Cursor, writer: Writer) -> None:
        lift = self._lifts.get(writer.mapping.table) if writer.mapping.writes is Writes.ROWS else None
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

    def _cascade(self, cursor: Cursor, step: Removed) -> None:
        """What the source's foreign keys did below its binlog when these rows went."""
        for effect in self._plan.cascades.effects:
            if effect.key.parent == step.parent:
                staging = effect.staging
                staging.empty(cursor)
                staging.load(cursor, staging.before, load_text(step.rows, staging.names))
                _run(cursor, effect.statements())
                staging.empty(cursor)

    def _clear(self, cursor: Cursor, table: str) -> None:
        for writer in reversed(self._writers):
            if writer.mapping.source == table and writer.mapping.writes is Writes.ROWS:
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


def _touches(change: Change, plan: Plan) -> bool:
    """Whether an update changes anything that the mapping reads. On the way back others are left out: legacy's own
    triggers, and its times of change, would take them for writes, and among them is what the other stream brought."""
    source = plan.sources.get(change.table)
    before, after = change.before, change.after
    if change.op != "u" or before is None or after is None or source is None:
        return True
    return any(before.get(name) != after.get(name) for name in source.staging.names)


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
