"""The trial of one case: its tables, the rows that a copy finds, and what happens while the stream follows."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Any

from cdc.database import Database
from cdc.mapping import TableMapping
from cdc.session import Session, open_session
from torture.corpus.case import Case, Kind, Pair, draw

_LATER = 1000
ANYTHING = "SET SESSION sql_mode = 'NO_AUTO_VALUE_ON_ZERO'"
_STRICT = "SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_AUTO_VALUE_ON_ZERO'"


@dataclass(frozen=True)
class Trial:
    """Of ``case`` over ``pair``; its tables are called ``name`` on both sides."""

    case: Case
    pair: Pair
    number: int
    drawn: int

    @property
    def name(self) -> str:
        return f"t{self.number:03}"

    @property
    def mapping(self) -> TableMapping:
        if self.case.key:
            return TableMapping(self.name, self.name, {"c": "c"}, {"n": "n"})
        return TableMapping(self.name, self.name, {"id": "id"}, {"c": "c", "n": "n"})

    @cached_property
    def values(self) -> list[str]:
        drawn = draw(self.case.drawn, self.drawn, self.number) if self.case.drawn is not None and self.drawn else []
        return list(dict.fromkeys([*self.case.values, *drawn]))

    def create(self, kind: Kind, *, source: bool) -> str:
        case = self.case
        column = case.column if source else case.column_at(kind)
        length = "(20)" if case.extra == "PREFIX" else ""
        if case.key:
            columns = f"c {column} NOT NULL, n INT, PRIMARY KEY (c{length})"
        else:
            extra = f"{case.extra}, " if source and case.extra else ""
            columns = f"id INT PRIMARY KEY, {extra}c {column}, n INT NOT NULL DEFAULT 0"
        return f"CREATE TABLE {self.name} ({columns}) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4"

    def before(self) -> Iterator[str]:
        """Statements that write the rows that are copied."""
        values = self.values
        for number, value in enumerate(values[::2] if self.case.key else values):
            yield self._insert(number, value)

    def meanwhile(self) -> Iterator[str]:
        """Transactions (statements with ``;`` between them) for the stream."""
        name, values, case = self.name, self.values, self.case
        if case.key:
            yield ";".join(self._insert(_LATER + number, value) for number, value in enumerate(values[1::2]))
            yield f"UPDATE {name} SET n = n + 7"
        else:
            yield ";".join(self._insert(_LATER + number, value) for number, value in enumerate(values))
            later = [
                f"UPDATE {name} SET {case.writes} = {value} WHERE id = {number}"
                for number, value in enumerate([*values[1:], values[0]])
            ]
            yield ";".join(later)
            yield f"UPDATE {name} SET n = n + 7 WHERE id >= {_LATER}"
        yield from (statement.format(t=name) for statement in case.then)
        if case.key and len(values) > 2:
            yield f"DELETE FROM {name} WHERE c = {values[1]}; {self._insert(77, values[1])}"
            yield f"DELETE FROM {name} WHERE c = {values[0]}"
        elif not case.key:
            yield f"DELETE FROM {name} WHERE id IN (1, {_LATER})"

    def _insert(self, number: int, value: str) -> str:
        if self.case.key:
            return f"INSERT INTO {self.name} (c, n) VALUES ({value}, {number})"
        return f"INSERT INTO {self.name} (id, {self.case.writes}) VALUES ({number}, {value})"

    @property
    def mode(self) -> str:
        return ANYTHING if self.case.lax else _STRICT

    def rows(self, session: Session) -> list[tuple[Any, ...]]:
        """As the server's own bytes, so that nothing is made equal by a driver or by our own verifier."""
        first = "" if self.case.key else "id, "
        with session.cursor() as cursor:
            cursor.execute(f"SELECT {first}{self._exact()}, n FROM {self.name}")
            found = list(cursor.fetchall())
        session.commit()
        if self.case.type == "json":
            found = [(*row[:-2], normal(row[-2]), row[-1]) for row in found]
        return sorted(found, key=repr)

    def _exact(self) -> str:
        column = self.case.column.upper()
        kind = self.case.type
        if kind in ("float", "double"):
            return "CONCAT(CONCAT(c), ' ', CONCAT(c + 0e0))"
        if kind == "bit":
            return "CONCAT(c + 0)"
        if kind == "enum":
            return "CONCAT(c + 0, ' ', HEX(CONVERT(c USING utf8mb4)))"
        if kind == "json":
            return "CONVERT(c USING utf8mb4)"
        if kind in ("binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob"):
            return "CONCAT(LENGTH(c), ' ', IF(LENGTH(c) > 100000, MD5(c), HEX(c)))"
        if "TEXT" in column or "CHAR" in column or kind == "set":
            text = "CONVERT(c USING utf8mb4)"
            return f"CONCAT(CHAR_LENGTH(c), ' ', IF(LENGTH(c) > 100000, MD5({text}), HEX({text})))"
        if kind in ("geometry", "point", "linestring", "polygon") or kind.startswith(("multi", "geometryc")):
            return "HEX(c)"
        return "CONCAT(c)"


def normal(document: str | None) -> str | None:
    """One text for JSON that means the same: keys in order, numbers by value."""
    if document is None:
        return None
    return repr(_normal(json.loads(document, parse_float=Decimal, parse_int=Decimal)))


def _normal(value: Any) -> Any:
    if isinstance(value, dict):
        return sorted((key, _normal(inner)) for key, inner in value.items())
    if isinstance(value, list):
        return [_normal(inner) for inner in value]
    if isinstance(value, Decimal):
        return ("number", 0 if not value else value.normalize().as_tuple())
    return value


def write(database: Database, trials: list[Trial], transactions: Any, *, logged: bool = True) -> None:
    """Each trial's transactions, in its own SQL mode. Not ``logged``: in no binlog, so only a copy can bring them."""
    with closing(open_session(database)) as session, session.cursor() as cursor:
        cursor.execute(f"SET SESSION sql_log_bin = {int(logged)}")
        for trial in trials:
            cursor.execute(trial.mode)
            for transaction in transactions(trial):
                for statement in transaction.split(";"):
                    if statement.strip():
                        cursor.execute(statement)
                session.commit()
