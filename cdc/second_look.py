"""Doubtful values of change events are read again at the source, by key.

What is read may be newer than the event. That is harmless: whatever made it so is in the stream too, behind the event,
and comes to the same row; once the stream has passed a position at which the source rests, every value is that of the
position. A row that is gone is taken as deleted now, which its own event would say a moment later.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cdc.apply.plan import Plan, SourceTable
from cdc.apply.stage import StagedColumn
from cdc.database import Database
from cdc.doubt import Doubt, Reason
from cdc.event import Change, EventError, Row
from cdc.expression import quote
from cdc.session import Session, open_session

_WHOLE = frozenset({"tinyint", "smallint", "mediumint", "int", "bigint"})
_TOGETHER, _ONE_BY_ONE = 1000, 50

Found = Mapping[int, Sequence[str | None]]
"""What was read of the rows that exist, by their number, in the order of the doubtful columns."""


@dataclass(frozen=True)
class _Table:
    name: str
    key: tuple[StagedColumn, ...]
    doubts: tuple[tuple[StagedColumn, Doubt], ...]

    @classmethod
    def of(cls, source: SourceTable) -> _Table:
        columns = {column.column.name: column for column in source.staging.columns}
        doubts = tuple((column, column.how.doubt) for column in columns.values() if column.how.doubt is not None)
        return cls(source.table.name, tuple(columns[name] for name in source.key), doubts)

    @property
    def bytewise(self) -> bool:
        """Whether values have to be made into bytes, doubtful or not."""
        return any(doubt.reason is Reason.CHARSET for _, doubt in self.doubts)

    def doubtful(self, row: Row) -> bool:
        return any(doubt.about(row.get(column.column.name)) for column, doubt in self.doubts)

    def check_key(self, change: Change) -> None:
        """Raises EventError: by a key that was not read whole nothing can be found, nor applied."""
        row = change.before if change.after is None else change.after
        for column in self.key:
            doubt = column.how.doubt
            if doubt is not None and row is not None and doubt.about(row.get(column.column.name)):
                raise EventError(
                    f"{self.name}: the key {column.column.name} holds a byte that {column.column.charset} has no letter"
                    f" for in Java, at {change.place}: MODIFY it as utf8mb4, then sync resnapshot {self.name}",
                    change._asdict(),
                )

    def settled(self, change: Change, read: Sequence[str | None] | None, asked: bool) -> Change:
        """The event with what was read in the place of what was doubtful; ``read`` None: there is no such row."""
        if not asked and not self.bytewise and (change.before is None or not self.doubtful(change.before)):
            return change
        before = None if change.before is None else self._old(change.before)
        if change.after is None:
            return change._replace(before=before)
        if asked and read is None and any(doubt.reason is not Reason.ZERO for _, doubt in self.doubts):
            return change._replace(op="d", before=before or self._old(change.after), after=None)
        after = dict(change.after)
        for number, (column, doubt) in enumerate(self.doubts):
            name = column.column.name
            value = after.get(name)
            if not doubt.about(value):
                after[name] = doubt.plain(value)
            elif read is not None and (read[number] is not None or doubt.reason is not Reason.ZERO):
                after[name] = read[number]
        return change._replace(before=before, after=after)

    def _old(self, row: Row) -> Row:
        return {**row, **{c.column.name: doubt.old(row.get(c.column.name)) for c, doubt in self.doubts}}

    def statements(self, rows: Sequence[Row]) -> Iterable[str]:
        """SELECTs that give a row's number and its values again."""
        values = ", ".join(
            f"CONVERT({doubt.select.format(c=column.name)} USING utf8mb4)" for column, doubt in self.doubts
        )
        if len(self.key) == 1 and self.key[0].column.type in _WHOLE:
            name = self.key[0].name
            numbers = {int(row[self.key[0].column.name]): number for number, row in enumerate(rows)}
            keys = list(numbers)
            for start in range(0, len(keys), _TOGETHER):
                wanted = ",".join(map(str, keys[start : start + _TOGETHER]))
                yield f"SELECT {name}, {values} FROM {quote(self.name)} WHERE {name} IN ({wanted})"
            return
        for start in range(0, len(rows), _ONE_BY_ONE):
            yield " UNION ALL ".join(
                f"SELECT {start + number}, {values} FROM {quote(self.name)} WHERE {self._is(row)}"
                for number, row in enumerate(rows[start : start + _ONE_BY_ONE])
            )

    @property
    def by_key(self) -> bool:
        """Whether ``statements`` give the key and not the row's number."""
        return len(self.key) == 1 and self.key[0].column.type in _WHOLE

    def _is(self, row: Row) -> str:
        return " AND ".join(f"{column.name} = {_literal(column, row[column.column.name])}" for column in self.key)


class SecondLook:
    """For one stream; not for use from several threads. ``renew`` when the plan is another."""

    def __init__(self, source: Database, plan: Plan) -> None:
        self._source = source
        self._session: Session | None = None
        self.renew(plan)

    def renew(self, plan: Plan) -> None:
        tables = (_Table.of(source) for source in plan.sources.values())
        self._tables = {table.name: table for table in tables if table.doubts}

    def settle(self, changes: Sequence[Change]) -> Sequence[Change]:
        """The changes with every value as it is at the source; the very same where there is nothing to doubt.

        Raises pymysql.err.MySQLError when the source can't be asked.
        """
        if not self._tables:
            return changes
        asked: dict[str, dict[int, Row]] = {}
        for number, change in enumerate(changes):
            table = self._tables.get(change.table)
            if table is None:
                continue
            table.check_key(change)
            if change.after is not None and table.doubtful(change.after):
                asked.setdefault(change.table, {})[number] = change.after
        found: dict[int, Sequence[str | None]] = {}
        for name, rows in asked.items():
            found |= self._read(self._tables[name], rows)
        settled = list(changes)
        for number, change in enumerate(changes):
            table = self._tables.get(change.table)
            if table is not None:
                settled[number] = table.settled(change, found.get(number), number in asked.get(change.table, ()))
        return settled

    def close(self) -> None:
        if self._session is not None and self._session.open:
            self._session.close()

    def _read(self, table: _Table, rows: Mapping[int, Row]) -> dict[int, Sequence[str | None]]:
        if self._session is None or not self._session.open:
            self._session = open_session(self._source)
            self._session.autocommit(True)
        numbers, by_key = list(rows), dict[Any, Sequence[str | None]]()
        with self._session.cursor() as cursor:
            for statement in table.statements(list(rows.values())):
                cursor.execute(statement)
                by_key.update((int(row[0]), row[1:]) for row in cursor.fetchall())
        if table.by_key:
            name = table.key[0].column.name
            return {n: by_key[int(row[name])] for n, row in rows.items() if int(row[name]) in by_key}
        return {numbers[place]: values for place, values in by_key.items()}


def _literal(column: StagedColumn, value: Any) -> str:
    """A value of the envelope as SQL that compares with its column."""
    if isinstance(value, bool):
        literal = str(int(value))
    elif isinstance(value, int):
        literal = str(value)
    else:
        text = str(value)
        literal = f"_utf8mb4 x'{text.encode().hex()}'" if text else "''"
    return column.how.envelope.format(v=literal) if column.how.envelope else literal
