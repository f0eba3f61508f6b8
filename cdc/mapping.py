"""Mappings: how rows of a legacy table become rows of a new table, and back. Written once, as SQL expressions."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from cdc.mention import mentioned


class Writes(StrEnum):
    """What a stream may do to the rows of a mapping's table."""

    ROWS = "rows"  # insert, update, delete
    UPDATES = "updates"  # only change rows that are there
    INSERTS = "inserts"  # only add rows that are missing


@dataclass(frozen=True)
class TableMapping:
    """How one table of the new side is made from one legacy table.

    ``key`` and ``columns`` give, per column of ``table``, an SQL expression over one row of ``source``; together they
    are all the columns the stream writes (other columns of ``table`` are the service's own and survive every upsert).
    ``key`` must cover a unique key of ``table`` and determine the source row. ``where`` (over the source row) says
    which rows exist on the new side; a row that leaves it is deleted there. ``back`` gives, per column of ``source``,
    an expression over the new row.

    Who may write the rows: without more, the capability's owner, all of them. ``owns`` names columns of ``source``
    that alone belong to the capability (a *group*); the rest of the row, and that it exists, belong to others.
    ``reference`` is a copy to read: it always goes from legacy to new. ``append`` goes the other way only: rows that
    the service inserts are inserted into ``source``. ``writes`` is what a stream may do to ``table``.
    """

    table: str
    source: str
    key: Mapping[str, str]
    columns: Mapping[str, str]
    where: str | None = None
    back: Mapping[str, str] = field(default_factory=dict)
    owns: tuple[str, ...] = ()
    reference: bool = False
    append: bool = False
    writes: Writes = Writes.ROWS

    @property
    def expressions(self) -> dict[str, str]:
        return {**self.key, **self.columns}

    @property
    def owned(self) -> bool:
        """Whether rows, or columns of them, belong to the capability's owner."""
        return not (self.reference or self.append)

    @property
    def source_key(self) -> tuple[str, ...]:
        """The columns of ``source`` that tell its rows apart: those that ``key`` is made of and ``back`` gives."""
        return mentioned(self.key.values(), self.back)

    @property
    def derived(self) -> tuple[str, ...]:
        """The columns of ``table`` that belong to the capability's owner: all mapped ones, or those made of ``owns``,
        and the key with them."""
        if not self.owns:
            return tuple(self.expressions)
        own = [name for name, expression in self.columns.items() if mentioned([expression], self.owns)]
        return (*self.key, *own)

    @property
    def followed(self) -> tuple[str, ...]:
        """The columns of ``table`` that follow legacy whoever owns the capability: those of a group's other part."""
        return tuple(name for name in self.columns if name not in self.derived)


@dataclass(frozen=True)
class CapabilityMapping:
    """All tables of one capability, in the order in which foreign keys of the new side want inserts."""

    capability: str
    tables: tuple[TableMapping, ...]

    @property
    def sources(self) -> tuple[str, ...]:
        """The source tables, each once."""
        return tuple(dict.fromkeys(one.source for one in self.tables))

    def digest(self, source: str) -> str:
        """64 characters that stand for all that rows of this source table are made by."""
        made = [f"{t.table}: {sorted(t.expressions.items())} {t.where}" for t in self.tables if t.source == source]
        return hashlib.sha256("\n".join(made).encode()).hexdigest()

    @property
    def forth(self) -> CapabilityMapping:
        """The tables that go from legacy to new."""
        return CapabilityMapping(self.capability, tuple(one for one in self.tables if not one.append))


def no_way_back(mapping: CapabilityMapping) -> list[str]:
    """Why the capability's tables can't be streamed from new to legacy, in sentences; empty when they can."""
    found = []
    if not any(one.owned for one in mapping.tables):
        found.append(f"{mapping.capability} has no table whose rows it could own")
    for one in mapping.tables:
        if one.reference:
            continue
        if not one.back:
            found.append(f"{one.table} has no way back: give back, or say reference = true")
        elif not one.source_key:
            found.append(f"{one.table}.back gives no column of {one.source} that key is made of")
        found += [f"{one.table}.back does not give {name}, which the table owns" for name in _not_given(one)]
    return found


def _not_given(one: TableMapping) -> list[str]:
    given = {name.lower() for name in one.back}
    return [name for name in one.owns if name.lower() not in given]


def inverse(mapping: CapabilityMapping) -> CapabilityMapping:
    """The way back: rows of the new tables become rows of the legacy tables, by ``back``.

    Tables that move write whole rows, groups only update their columns of rows that exist, tables to append to only get
    what is missing. Reference tables have no way back. Raises ValueError with what ``no_way_back`` says.
    """
    if problems := no_way_back(mapping):
        raise ValueError("; ".join(problems))
    return CapabilityMapping(mapping.capability, tuple(_inverse(one) for one in mapping.tables if not one.reference))


def _inverse(one: TableMapping) -> TableMapping:
    owns = {name.lower() for name in one.owns}
    key = {name: one.back[name] for name in one.source_key}
    columns = {
        name: expression
        for name, expression in one.back.items()
        if name not in key and (not owns or name.lower() in owns)
    }
    writes = Writes.INSERTS if one.append else Writes.UPDATES if one.owns else Writes.ROWS
    return TableMapping(one.source, one.table, key, columns, append=one.append, writes=writes)
