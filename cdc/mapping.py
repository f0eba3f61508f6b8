"""Mappings: how rows of a legacy table become rows of a new table, and back. Written once, as SQL expressions."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class TableMapping:
    """How one table of the new side is made from one legacy table.

    ``key`` and ``columns`` give, per column of ``table``, an SQL expression over one row of ``source``; together they
    are all the columns the stream writes (other columns of ``table`` are the service's own and survive every upsert).
    ``key`` must cover a unique key of ``table`` and determine the source row. ``where`` (over the source row) says
    which rows exist on the new side; a row that leaves it is deleted there. ``back`` gives, per column of ``source``,
    an expression over the new row.
    """

    table: str
    source: str
    key: Mapping[str, str]
    columns: Mapping[str, str]
    where: str | None = None
    back: Mapping[str, str] = field(default_factory=dict)

    @property
    def expressions(self) -> dict[str, str]:
        return {**self.key, **self.columns}


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
