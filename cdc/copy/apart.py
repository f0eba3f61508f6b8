"""Rows of a chunk that the target refuses: found by trying, left out, and set aside in the chunk's own transaction."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress

import pymysql
from pymysql.cursors import Cursor

from cdc.apply.identity import COPIED
from cdc.apply.isolate import Aside, TooManyFail, isolate
from cdc.apply.plan import SourceTable
from cdc.apply.quarantine import Quarantine, QuarantineFull
from cdc.apply.refusal import REFUSALS, Refused, of_the_row
from cdc.event import Change
from cdc.session import Session, try_again

Write = Callable[[Cursor], None]
"""Write what is staged in ``after``, in the caller's transaction."""


class Apart:
    """For one session that writes chunks; ``quarantine`` goes through the same session. ``told`` hears of what was set
    aside once it is committed."""

    def __init__(
        self, session: Session, quarantine: Quarantine, schema: str, told: Callable[[Sequence[Aside[Change]]], None]
    ) -> None:
        self._session, self._quarantine, self._schema, self._told = session, quarantine, schema, told

    def helps(self, source: SourceTable, error: BaseException) -> bool:
        """Whether the chunk may go in without some rows: they are to blame, and can be told apart from others."""
        return of_the_row(error) and self._quarantine.bounds.most_keys > 0 and source.marks.copies

    def ready(self, source: SourceTable) -> None:
        """Before the transaction."""
        with self._session.cursor() as cursor:
            cursor.execute(f"DROP TEMPORARY TABLE IF EXISTS {_pool(source)}")
            cursor.execute(f"CREATE TEMPORARY TABLE {_pool(source)} LIKE {source.staging.after}")
        self._quarantine.load({source.table.name: source.marks})

    def write(self, cursor: Cursor, source: SourceTable, write: Write, strike: Write) -> None:
        """In the caller's transaction: what is staged goes in by ``write``, but for refused rows, which are stored.
        ``strike`` keeps what the target has of them from being swept. Raises Refused where they can't be set aside."""
        after = source.staging.after
        cursor.execute(f"INSERT INTO {_pool(source)} SELECT * FROM {after}")
        cursor.execute(f"SELECT strangler_row FROM {_pool(source)} ORDER BY strangler_row")
        numbers = [int(row[0]) for row in cursor.fetchall()]

        place = {number: index for index, number in enumerate(numbers)}

        def attempt(some: Sequence[int]) -> Exception | None:
            cursor.execute("SAVEPOINT strangler_apart")
            try:
                _stage(cursor, source, some, together=place[some[-1]] - place[some[0]] + 1 == len(some))
                write(cursor)
            except REFUSALS as error:
                if try_again(error) or not of_the_row(error):
                    raise
                cursor.execute("ROLLBACK TO SAVEPOINT strangler_apart")
                return error
            return None

        try:
            refused = isolate(numbers, attempt, lambda n: ((str(n),),), (), self._quarantine.bounds.most_keys)
            aside = self._aside(cursor, source, refused)
            self._quarantine.add(cursor, aside)
        except TooManyFail as error:
            (first,) = self._aside(cursor, source, [Aside(error.change, (), None)])
            words = f"{error.keys:,} rows of one chunk are refused, so the mapping or the table is wrong: {error}"
            raise Refused(first.change, source.key, error.cause, words) from error
        except QuarantineFull as error:
            raise Refused(error.change, source.key, error, str(error)) from error
        if refused:
            cursor.execute("SAVEPOINT strangler_apart")
            with suppress(pymysql.err.DataError, pymysql.err.IntegrityError):  # a row whose key can't be worked out
                _stage(cursor, source, [one.change for one in refused])
                strike(cursor)

    def committed(self) -> None:
        aside = self._quarantine.committed()
        if aside:
            self._told(aside)

    def rolled_back(self) -> None:
        self._quarantine.rolled_back()

    def _aside(self, cursor: Cursor, source: SourceTable, refused: Sequence[Aside[int]]) -> list[Aside[Change]]:
        if not refused:
            return []
        cursor.execute(
            f"SELECT strangler_row, {source.staging.select()} FROM {_pool(source)}"
            f" WHERE strangler_row {_in([one.change for one in refused])}"
        )
        lines = {int(number): str(line) for number, line in cursor.fetchall()}
        aside = []
        for one in refused:
            cells = [None if cell == "\\N" else cell for cell in lines[one.change].split("\t")]
            row = dict(zip(source.staging.names, cells, strict=True))
            change = Change(0, "r", self._schema, source.table.name, None, row, None, COPIED, 0)
            aside.append(Aside(change, source.marks.of(change), one.error))
        return aside


def _stage(cursor: Cursor, source: SourceTable, numbers: Sequence[int], *, together: bool = False) -> None:
    """Only these rows. ``together``: the pool has no others between the first and the last of them."""
    which = f"BETWEEN {numbers[0]} AND {numbers[-1]}" if together else _in(numbers)
    cursor.execute(f"DELETE FROM {source.staging.after}")
    cursor.execute(f"INSERT INTO {source.staging.after} SELECT * FROM {_pool(source)} WHERE strangler_row {which}")


def _in(numbers: Sequence[int]) -> str:
    return f"IN ({', '.join(map(str, numbers))})"


def _pool(source: SourceTable) -> str:
    return f"`strangler_pool_{source.staging.number}`"
