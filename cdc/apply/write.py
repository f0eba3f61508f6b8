"""From staging to the target's table: which statements, in which order.

Pure: statements are text made once per session from the mapping and what the target's table looks like.

Two ways to write rows. ``ON DUPLICATE KEY UPDATE`` is the fast one, and wrong where the table has another unique key
than the mapping's: it would update whichever row the other key hits. There, rows that exist are updated by their key
and the others inserted, so that a clash is an error instead of a wrong row.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from cdc.apply.stage import Staging, quoted
from cdc.mapping import TableMapping, Writes
from cdc.mention import mentioned
from cdc.schema import Column, Table


@dataclass(frozen=True)
class TargetTable:
    """``others`` are unique keys (their columns) besides those that only repeat the mapping's key."""

    table: Table
    others: tuple[tuple[str, ...], ...]
    counted: bool  # has an AUTO_INCREMENT column, of which every ON DUPLICATE KEY UPDATE would burn a value
    referenced: tuple[str, ...] = ()  # columns that foreign keys of other tables point at


@dataclass(frozen=True)
class Writer:
    """The statements of one table mapping. STRAIGHT_JOIN: from the few staged rows into the table by its key, whatever
    the optimizer believes of tables that it has no statistics of.

    ``strike_from`` is a table of keys from which those of every row that is written are struck out (while a copy is
    under way: see ``cdc.copy.sweep``)."""

    mapping: TableMapping
    staging: Staging
    target: TargetTable
    source_key: tuple[str, ...]
    strike_from: str | None = None

    @property
    def watched(self) -> tuple[str, ...]:
        """Columns besides the source's primary key that decide which target row a source row is."""
        used = mentioned(self.mapping.key.values(), self.staging.names)
        return tuple(column for column in used if column not in self.source_key)

    def deletes(self, *, gone: bool, stored: bool) -> list[str]:
        """Statements that remove rows: those of old images (``gone``), those that ``where`` no longer lets in
        (``stored``). They come before all upserts of the batch."""
        statements: list[str] = []
        if self.mapping.writes is not Writes.ROWS:
            return statements
        if gone:
            old = f"SELECT * FROM ({self._keys(self.staging.before)}) o"
            if self.watched:  # an old image whose key came out the same must stay: the service's own columns are in it
                new = self._keys(self.staging.after, self._where)
                old += f" WHERE NOT EXISTS (SELECT 1 FROM ({new}) n WHERE {self.same('n', 'o')})"
            statements.append(f"DELETE t FROM ({old}) d STRAIGHT_JOIN {self._table} t ON {self.same('t', 'd')}")
        if stored and self._where:
            left = self._keys(self.staging.after, f"NOT COALESCE(({self.mapping.where}), FALSE)")
            statements.append(f"DELETE t FROM ({left}) d STRAIGHT_JOIN {self._table} t ON {self.same('t', 'd')}")
        return statements

    def upserts(self, *, fresh: bool = False) -> list[str]:
        """Statements that write the rows of ``after``. ``fresh``: the target has none of them (first copy)."""
        columns = ", ".join(quoted(column) for column in self.mapping.expressions)
        insert = f"INSERT INTO {self._table} ({columns}) {self.rows}"
        if self.mapping.writes is Writes.UPDATES:
            return self.updates()
        if self.mapping.writes is Writes.INSERTS:
            first = quoted(next(iter(self.mapping.key)))
            missing = self.inserts() if self.careful else f"{insert} ON DUPLICATE KEY UPDATE {first} = VALUES({first})"
            return [*self.updates(self.mapping.followed), missing]
        if fresh:
            return [insert]
        if not self.careful:
            names = [quoted(column) for column in self.mapping.columns] or [quoted(next(iter(self.mapping.key)))]
            return [f"{insert} ON DUPLICATE KEY UPDATE {', '.join(f'{n} = VALUES({n})' for n in names)}"]
        return [*self.updates(), self.inserts()]

    def updates(self, columns: Iterable[str] | None = None) -> list[str]:
        """Rows that exist, by their key: these columns, all of the mapping's when None; nothing when that is none."""
        named = list(self.mapping.columns if columns is None else columns)
        if not named:
            return []
        changes = ", ".join(f"t.{quoted(c)} = n.{quoted(c)}" for c in named)
        return [f"UPDATE ({self.rows}) n STRAIGHT_JOIN {self._table} t ON {self.same('t', 'n')} SET {changes}"]

    def inserts(self) -> str:
        """Rows that do not exist."""
        columns = ", ".join(quoted(column) for column in self.mapping.expressions)
        missing = ", ".join(f"n.{quoted(column)}" for column in self.mapping.expressions)
        return (
            f"INSERT INTO {self._table} ({columns}) SELECT {missing} FROM ({self.rows}) n"
            f" LEFT JOIN {self._table} t ON {self.same('t', 'n')}"
            f" WHERE t.{quoted(next(iter(self.mapping.key)))} IS NULL"
        )

    def strikes(self) -> list[str]:
        """What comes after the upserts, in the same transaction."""
        if self.strike_from is None:
            return []
        keys = self._keys(self.staging.after, self._where)
        return [f"DELETE t FROM ({keys}) n STRAIGHT_JOIN {self.strike_from} t ON {self.same('t', 'n')}"]

    @property
    def careful(self) -> bool:
        return bool(self.target.others) or self.target.counted

    @property
    def clear(self) -> str:
        """Removes all rows: the source's table was truncated."""
        return f"DELETE FROM {self._table}"

    def found(self) -> str:
        """SELECT of the target rows, as the mapping writes them, that the staged rows would be."""
        columns = ", ".join(f"t.{quoted(column)}" for column in self.mapping.expressions)
        keys = self._keys(self.staging.after)
        return f"SELECT {columns} FROM {self._table} t JOIN ({keys}) n ON {self.same('t', 'n')}"

    @property
    def key_columns(self) -> tuple[Column, ...]:
        return tuple(self.target.table.columns[name] for name in self.mapping.key)

    @property
    def _table(self) -> str:
        return quoted(self.mapping.table)

    @property
    def _where(self) -> str:
        return f"({self.mapping.where})" if self.mapping.where else ""

    def _keys(self, staged: str, where: str = "") -> str:
        return self._select(self.mapping.key, staged, where)

    @property
    def rows(self) -> str:
        """SELECT of the rows as they are to be, from ``after``."""
        return self._select(self.mapping.expressions, self.staging.after, self._where)

    def _select(self, expressions: Mapping[str, str], staged: str, where: str) -> str:
        columns = ", ".join(
            f"{alike(expression, self.target.table.columns[name]) if name in self.mapping.key else f'({expression})'}"
            f" AS {quoted(name)}"
            for name, expression in expressions.items()
        )
        return f"SELECT {columns} FROM {staged}" + (f" WHERE {where}" if where else "")

    def same(self, left: str, right: str) -> str:
        """Condition that two rows, under these names, have the same key."""
        return " AND ".join(f"{left}.{quoted(name)} = {right}.{quoted(name)}" for name in self.mapping.key)


def alike(expression: str, column: Column) -> str:
    """An expression in its column's own collation: comparing two would be an error, or miss the index."""
    if column.charset is None:
        return f"({expression})"
    return f"CONVERT(({expression}) USING {column.charset}) COLLATE {column.collation}"


def other_unique_keys(key: Iterable[str], unique: Mapping[str, tuple[str | None, ...]]) -> tuple[tuple[str, ...], ...]:
    """Of a table's unique indexes (name -> columns; None for an indexed expression) those that can clash although the
    mapping's key does not: all that do not contain the whole key."""
    wanted = {column.lower() for column in key}
    return tuple(
        tuple(column or "(expression)" for column in columns)
        for columns in unique.values()
        if not wanted <= {column.lower() for column in columns if column}
    )
