"""Does a mapping fit the two schemas? Asked before the first row is copied, so that nothing arrives bent."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Literal

import pymysql

from cdc.carried import uncarried, unknown_text
from cdc.database import Database
from cdc.expression import TypeClass, class_of, describe, plain_column, quote
from cdc.mapping import CapabilityMapping, TableMapping, Writes, inverse
from cdc.mapping_fit import misfits
from cdc.mention import mentioned
from cdc.schema import Column, Table, read_table, table_names
from cdc.server import Server
from cdc.session import Session, open_session
from cdc.zero_dates import with_zero_dates


@dataclass(frozen=True)
class MappingProblem:
    """One thing wrong with a mapping. ``table`` is the new side's table as in the mapping, ``column`` the mapped column
    (None: the table as a whole, ``WHERE``: its condition), ``fix`` a sentence or expression that mends it. A
    ``warning`` may go on."""

    table: str
    column: str | None
    message: str
    fix: str
    severity: Literal["error", "warning"] = "error"

    def __str__(self) -> str:
        where = self.table if self.column is None else f"{self.table}.{self.column}"
        return f"{where}: {self.message}: {self.fix}" if self.fix else f"{where}: {self.message}"


# How the condition of a table is named in problems, where a column's name would stand.
WHERE = "where"

_UNKNOWN_COLUMN = 1054
_SYNTAX = 1064
_UNKNOWN_FUNCTION = (1305, 1630)
_NAMED = re.compile(r"'([^']*)'")
# What gives another value each time makes the two sides differ by nature.
_UNSTEADY = re.compile(
    r"\b(?:(?:NOW|RAND|UUID|UUID_SHORT|SYSDATE|CURDATE|CURTIME|UTC_TIMESTAMP|UTC_DATE|UTC_TIME|LAST_INSERT_ID"
    r"|CONNECTION_ID|LOCALTIME|LOCALTIMESTAMP)\s*\(|UNIX_TIMESTAMP\s*\(\s*\)"
    r"|(?:CURRENT_TIMESTAMP|CURRENT_DATE|CURRENT_TIME|UTC_TIMESTAMP|LOCALTIME|LOCALTIMESTAMP)\b)",
    re.IGNORECASE,
)
_QUOTED = re.compile(r"'(?:[^'\\]|\\.|'')*'|\"(?:[^\"\\]|\\.|\"\")*\"|`[^`]*`")


def check_capability(mapping: CapabilityMapping, source: Database, target: Database) -> list[MappingProblem]:
    """All problems of the mapping against the schemas of both servers, in the mapping's order; empty when it fits.

    Reads information_schema and evaluates the expressions over no rows; needs SELECT only and writes nothing. Raises
    pymysql.err.OperationalError when a server can't be reached.
    """
    with closing(open_session(source)) as old, closing(open_session(target)) as new:
        checker = _Checker(old, new, source, target)
        return [problem for table in mapping.tables for problem in checker.check(table)]


def check_way_back(mapping: CapabilityMapping, legacy: Database, new: Database) -> list[MappingProblem]:
    """All problems of the way back, as ``check_capability`` has them; ``column`` is one of ``back``. Types that do not
    fit are warnings: new columns are wider by design, legacy refuses what is too wide, and ``cdc.ownership.proof`` asks
    the rows. Raises ValueError where there is no way back."""
    with closing(open_session(new)) as old, closing(open_session(legacy)) as fresh:
        checker = _Checker(old, fresh, new, legacy, ("new", "legacy"))
        return [
            replace(problem, table=one.source, column=f"back.{problem.column}" if problem.column else "back")
            for one in inverse(mapping).tables
            for problem in checker.check(one)
        ]


class _Checker:
    """``names`` are those of the side whose rows are read and of the one that is written."""

    def __init__(
        self,
        old: Session,
        new: Session,
        source: Database,
        target: Database,
        names: tuple[str, str] = ("legacy", "new"),
    ) -> None:
        self.names = names
        self.old = old
        self.new = new
        self.source = source
        self.target = target

    def check(self, mapping: TableMapping) -> Iterator[MappingProblem]:
        source = read_table(self.old, mapping.source, Server.of(self.old))
        target = read_table(self.new, mapping.table, Server.of(self.new))
        if source is None:
            yield _no_table(mapping, mapping.source, self.names[0], self.source, table_names(self.old))
        if target is None:
            yield _no_table(mapping, mapping.table, self.names[1], self.target, table_names(self.new))
        if source is None or target is None:
            return
        yield from _source_problems(mapping, source, self.names[0])
        yield from _target_problems(mapping, target)
        yield from self._uncarried(mapping, source)
        for name, expression in mapping.expressions.items():
            yield from self._column(mapping, name, expression, source, target)
        if mapping.where is not None:
            yield from self._evaluate(mapping, WHERE, mapping.where, source)

    def _uncarried(self, mapping: TableMapping, source: Table) -> Iterator[MappingProblem]:
        """Columns that the stream can't carry, at the first expression that reads them."""
        expressions = mapping.expressions | ({WHERE: mapping.where} if mapping.where else {})
        reads = {name: mentioned([sql], source.columns) for name, sql in expressions.items()}
        used = tuple(dict.fromkeys([*source.primary_key, *(c for columns in reads.values() for c in columns)]))
        table = with_zero_dates(self.old, Server.of(self.old), source, used)
        keys = (*source.primary_key, *mentioned(mapping.key.values(), source.columns))
        for one in (*uncarried(table, used, keys), *unknown_text(table, used, self.new)):
            reader = next((name for name, columns in reads.items() if one.column in columns), None)
            yield MappingProblem(mapping.table, reader, one.message, one.fix)

    def _column(
        self, mapping: TableMapping, name: str, expression: str, source: Table, target: Table
    ) -> Iterator[MappingProblem]:
        column = next((c for c in target.columns.values() if c.name.lower() == name.lower()), None)
        if column is None:
            message = f"table {target.name} of the {self.names[1]} side has no column {name!r}"
            yield MappingProblem(mapping.table, name, message, nearest(name, target.columns))
            return
        if column.generated:
            message = "the column is generated by the server and can't be written"
            yield MappingProblem(mapping.table, name, message, "leave it out of the mapping")
            return
        broken = list(self._evaluate(mapping, name, expression, source))
        if broken:
            yield from broken
            return
        (given,) = describe(self.old, source.name, [expression])
        plain = plain_column(expression, source.columns)
        for misfit in misfits(expression, given, column, source.columns[plain] if plain else None):
            severity = misfit.severity if self.names[1] == "new" else "warning"
            yield MappingProblem(mapping.table, name, misfit.message, misfit.fix, severity)

    def _evaluate(self, mapping: TableMapping, name: str, expression: str, source: Table) -> Iterator[MappingProblem]:
        """Problems of the expression by itself: what a server can't parse or resolve, what is never the same twice."""
        unsteady = _UNSTEADY.search(_QUOTED.sub("''", expression))
        if unsteady:
            message = f"{unsteady.group().rstrip('( )')} gives another value each time it is asked"
            yield MappingProblem(mapping.table, name, message, "use the row's own columns")
            return
        try:
            describe(self.old, source.name, [expression])
        except pymysql.MySQLError as error:
            yield _refused(mapping, name, error, source, self.names[0], self.names[0])
            return
        # The stream evaluates the same expression on the new side's server, over a table with the legacy columns.
        row = ", ".join(f"{_nothing(column)} AS {quote(column.name)}" for column in source.columns.values())
        try:
            with self.new.cursor() as cursor:
                cursor.execute(f"SELECT ({expression}) FROM (SELECT {row}) AS row_of_{_word(source.name)} LIMIT 0")
        except pymysql.MySQLError as error:
            yield _refused(mapping, name, error, source, self.names[1], self.names[0])


def _source_problems(mapping: TableMapping, source: Table, side: str) -> Iterator[MappingProblem]:
    if not source.primary_key:
        message = f"table {source.name} of the {side} side has no primary key, so that its rows can't be told apart"
        yield MappingProblem(mapping.table, None, message, f"ALTER TABLE {source.name} ADD PRIMARY KEY (...)")
    floating = [name for name in source.primary_key if class_of(source.columns[name]) is TypeClass.FLOAT]
    if floating:
        message = f"the primary key of {source.name} has the floating-point column {floating[0]}"
        yield MappingProblem(mapping.table, None, message, "make it DECIMAL: such keys can't be compared exactly")


def _target_problems(mapping: TableMapping, target: Table) -> Iterator[MappingProblem]:
    keys = {name.lower() for name in mapping.key}
    mapped = {name.lower() for name in mapping.expressions}
    covered = [
        unique
        for unique in target.unique_keys
        if {c.lower() for c in unique.columns} <= keys and not any(target.columns[c].nullable for c in unique.columns)
    ]
    if not covered:
        there = "; ".join(f"{key.name} ({', '.join(key.columns)})" for key in target.unique_keys) or "none"
        message = (
            f"the mapping's key ({', '.join(mapping.key)}) covers no unique key of {target.name} (it has: {there})"
        )
        fix = f"map all columns of one, or add UNIQUE ({', '.join(mapping.key)}) over NOT NULL columns"
        # an outbox's rows are told apart by the key itself, where legacy has nothing better
        severity: Literal["error", "warning"] = "warning" if mapping.append else "error"
        yield MappingProblem(mapping.table, None, message, fix, severity)
    for unique in target.unique_keys:
        if covered and unique not in covered and {c.lower() for c in unique.columns} <= mapped:
            message = f"{unique.name} ({', '.join(unique.columns)}) is a second unique key that the mapping writes"
            fix = "rows that swap values are applied one by one there; make it a plain index if legacy doesn't hold it"
            yield MappingProblem(mapping.table, None, message, fix, "warning")
    for column in target.columns.values():
        inserts = mapping.writes is not Writes.UPDATES
        if column.name.lower() in mapped or column.generated or column.has_default or not inserts:
            continue
        message = "the column is NOT NULL without a default, and the mapping doesn't fill it"
        yield MappingProblem(mapping.table, column.name, message, "map it, or give it a default")


def _no_table(mapping: TableMapping, name: str, side: str, database: Database, known: list[str]) -> MappingProblem:
    return MappingProblem(
        mapping.table, None, f"the {side} side ({database}) has no table {name!r}", nearest(name, known)
    )


def _refused(
    mapping: TableMapping, column: str, error: pymysql.MySQLError, source: Table, side: str, read: str
) -> MappingProblem:
    """``side`` is whose server said so, ``read`` whose rows the expression is over."""
    code, text = (error.args[0], str(error.args[1])) if len(error.args) > 1 else (0, str(error))
    if code == _UNKNOWN_COLUMN:
        named = _NAMED.search(text)
        name = named.group(1).rpartition(".")[2] if named else ""
        message = f"table {source.name} of the {read} side has no column {name!r}"
        return MappingProblem(mapping.table, column, message, nearest(name, source.columns))
    if code == _SYNTAX:
        near = text.partition(" near ")[2].partition(" at line ")[0]
        return MappingProblem(mapping.table, column, f"the {side} server can't parse it near {near}", "correct the SQL")
    if code in _UNKNOWN_FUNCTION:
        return MappingProblem(
            mapping.table,
            column,
            f"the {side} server doesn't know a function: {text}",
            "use one that both servers know",
        )
    return MappingProblem(mapping.table, column, f"the {side} server refuses it: {text}", "correct the SQL")


def _nothing(column: Column) -> str:
    """NULL; of text it has to be text, or a COLLATE in an expression is refused."""
    return "CONVERT(NULL USING utf8mb4)" if class_of(column) is TypeClass.TEXT else "NULL"


def nearest(name: str, known: Iterable[str]) -> str:
    """``did you mean 'price'?``, or what there is when nothing is like it."""
    names = list(known)
    lowered = {word.lower(): word for word in names}
    near = difflib.get_close_matches(name.lower(), lowered, 1)
    if near:
        return f"did you mean {lowered[near[0]]!r}?"
    return f"it has {', '.join(names)}" if names else "it has none"


def _word(name: str) -> str:
    return re.sub(r"\W", "_", name)
