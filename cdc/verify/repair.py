"""Writing the owner's rows over those of the other side, for exactly the keys that were found different."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pymysql
from pymysql.cursors import Cursor

from cdc.apply.refusal import SIGNALLED
from cdc.expression import quote
from cdc.schema import Column
from cdc.session import try_again
from cdc.verify.canonical import literal
from cdc.verify.errors import VerifyError
from cdc.verify.plan import TablePlan
from cdc.verify.side import Key, Row, Side

_KEYS_PER_TRANSACTION = 100
_TRIES = 5


Enter = Callable[[Cursor], None]
"""Says at the target that what this transaction writes comes from the owner."""


def repair_keys(keys: Sequence[Key], owner: Side, other: Side, plan: TablePlan, enter: Enter | None = None) -> None:
    """Give the other side the owner's rows of these keys: written, or deleted where the owner has none.

    The other side's rows, or the gaps where they would be, are locked before the owner's rows are read. So a running
    stream can't be overtaken: what it applied before is in what is read, and what it applies afterwards is newer or the
    same. Columns that the mapping doesn't fill keep their values. Raises VerifyError when a row can't be written.
    """
    for some in _parts(keys):
        _transaction(some, owner, other, plan, enter)


def _parts(keys: Sequence[Key]) -> list[list[Key]]:
    return [list(keys[i : i + _KEYS_PER_TRANSACTION]) for i in range(0, len(keys), _KEYS_PER_TRANSACTION)]


def _transaction(keys: list[Key], owner: Side, other: Side, plan: TablePlan, enter: Enter | None) -> None:
    for attempt in range(_TRIES):
        try:
            with other.sessions.session() as session, session.cursor(Cursor) as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
                session.begin()
                if enter is not None:
                    enter(cursor)
                there = other.lock(cursor, keys)
                rows = owner.rows_of(keys)
                for key in keys:
                    _write(cursor, key, rows.get(key), key in there, other, plan)
                session.commit()
                return
        except VerifyError as error:
            if attempt + 1 == _TRIES or error.__cause__ is None or not try_again(error.__cause__):
                raise


def _write(cursor: Cursor, key: Key, row: Row | None, there: bool, other: Side, plan: TablePlan) -> None:
    table = quote(other.plan.table)
    here = _assignments(plan.key_columns, key)
    condition = " AND ".join(here)
    try:
        if row is None:
            if there:
                cursor.execute(f"DELETE FROM {table} WHERE {condition}")
        elif there:
            if plan.value_columns:
                values = ", ".join(_assignments(plan.value_columns, row))
                cursor.execute(f"UPDATE {table} SET {values} WHERE {condition}")
        else:
            cursor.execute(f"INSERT INTO {table} SET {', '.join([*here, *_assignments(plan.value_columns, row)])}")
    except (pymysql.err.IntegrityError, pymysql.err.DataError, pymysql.err.OperationalError) as error:
        if isinstance(error, pymysql.err.OperationalError) and error.args[0] != SIGNALLED:
            raise
        shown = ", ".join(f"{c.name} {v}" for c, v in zip(plan.key_columns, key, strict=True))
        raise VerifyError(f"{plan.table}, {shown}: the owner's row can't be written: {error.args[-1]}") from error


def _assignments(columns: Sequence[Column], values: Sequence[str | None]) -> list[str]:
    return [
        f"{quote(column.name)} = {'NULL' if value is None else literal(column, value)}"
        for column, value in zip(columns, values, strict=True)
    ]
