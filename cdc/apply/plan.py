"""The applier's plan for one capability: which source tables, keyed how, staged how, written to where by what."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from cdc.apply.identity import Marks, marks_of
from cdc.apply.stage import Staging
from cdc.apply.write import TargetTable, Writer, other_unique_keys
from cdc.carried import uncarried, unknown_text
from cdc.cascade import Cascades, plan_cascades, read_foreign_keys
from cdc.conversion import Unsupported
from cdc.mapping import CapabilityMapping, TableMapping, Writes
from cdc.mention import mentioned
from cdc.schema import Column, Table, read_table
from cdc.server import Server
from cdc.session import Session
from cdc.zero_dates import with_zero_dates

_UNIQUE = (
    "SELECT INDEX_NAME, COLUMN_NAME FROM information_schema.STATISTICS"
    " WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = %s AND NON_UNIQUE = 0 ORDER BY INDEX_NAME, SEQ_IN_INDEX"
)
_COUNTED = (
    "SELECT COUNT(*) FROM information_schema.COLUMNS"
    " WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = %s AND EXTRA LIKE '%%auto_increment%%'"
)
_REFERENCED = (
    "SELECT DISTINCT REFERENCED_COLUMN_NAME FROM information_schema.KEY_COLUMN_USAGE"
    " WHERE REFERENCED_TABLE_SCHEMA = DATABASE() AND REFERENCED_TABLE_NAME = %s"
)

ACCEPT = (
    "map the key's columns plainly, or name such keys in foreign_keys.accept of the capability: what they do is found"
    " by strangler verify only, then"
)


class PlanError(Exception):
    """The mapping does not fit the tables. ``problems`` are sentences, each naming table and column."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


@dataclass(frozen=True)
class SourceTable:
    """A mapped table of the source: its primary key, its staging, and the writers that read it."""

    table: Table
    staging: Staging
    writers: tuple[Writer, ...]

    @property
    def key(self) -> tuple[str, ...]:
        return self.table.primary_key

    @property
    def watched(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(column for writer in self.writers for column in writer.watched))

    @property
    def marks(self) -> Marks:
        claims = [mentioned(w.mapping.key.values(), w.staging.names) for w in self.writers if w.watched]
        return marks_of(self.table.name, self.table.columns, self.key, claims)


@dataclass(frozen=True)
class Plan:
    """``writers`` are in the mapping's order: upserts run in it, deletes against it. ``cascades`` are what foreign keys
    of the source do to its rows."""

    sources: dict[str, SourceTable]
    writers: tuple[Writer, ...]
    cascades: Cascades = field(default_factory=Cascades)

    @cached_property
    def unowned(self) -> tuple[Writer, ...]:
        """What is written of changes that do not come from the capability's owner: tables to read, tables to append to,
        and of groups what is not theirs (new rows, columns of others). ``cdc.ownership.gate`` says which those are."""
        whole = {w.mapping.source for w in self.writers if w.mapping.owned and not w.mapping.owns}
        kept = []
        for writer in self.writers:
            if not writer.mapping.owned:
                kept.append(writer)
            elif writer.mapping.owns and writer.mapping.source not in whole:
                kept.append(replace(writer, mapping=replace(writer.mapping, writes=Writes.INSERTS)))
        return tuple(kept)

    @property
    def keys(self) -> dict[str, tuple[str, ...]]:
        return {name: source.key for name, source in self.sources.items()}

    @property
    def owned_keys(self) -> dict[str, tuple[str, ...]]:
        """Of the source tables whose rows, or columns, belong to the capability's owner: their key, and what keys of
        the target are made of."""
        found = {}
        for name, source in self.sources.items():
            owned = [writer.watched for writer in source.writers if writer.mapping.owned]
            if owned:
                found[name] = tuple(dict.fromkeys([*source.key, *(column for some in owned for column in some)]))
        return found

    @property
    def marks(self) -> dict[str, Marks]:
        return {name: source.marks for name, source in self.sources.items()}

    @property
    def shapes(self) -> dict[str, tuple[Staging, tuple[str, ...]]]:
        """Per source table its columns, as far as they are used, and its key."""
        return {name: (source.staging, source.key) for name, source in self.sources.items()}


def read_plan(
    mapping: CapabilityMapping,
    source: Session,
    target: Session,
    shapes: Mapping[str, Table] | None = None,
    accepted: Collection[str] = (),
) -> Plan:
    """Read both schemas and put the plan together. ``shapes`` are source tables as they were where the stream stands:
    those are not read. ``accepted`` are foreign keys of the source whose doings only a comparison has to find. Raises
    PlanError with everything that does not fit."""
    problems: list[str] = []
    sources = _source_tables(mapping, source, problems, shapes or {})
    targets = _target_tables(mapping, target, problems)
    stagings: dict[str, Staging] = {}
    server = Server.of(source)
    for number, (name, found) in enumerate(sources.items()):
        used = tuple(dict.fromkeys([*found.primary_key, *_used(mapping, found)]))
        table = sources[name] = with_zero_dates(source, server, found, used)
        keys = (*table.primary_key, *key_columns(mapping, table))
        wrong = [*uncarried(table, used, keys), *unknown_text(table, used, target)]
        problems += map(str, wrong)
        if not wrong:
            stagings[name] = Staging.of(number, table, used)
    for one in mapping.tables:
        if one.table in targets:
            present = targets[one.table].table.columns
            problems += [f"{one.table} has no column {c}" for c in one.expressions if c not in present]
            problems += [f"{one.table}.{c} is a generated column" for c in one.expressions if _generated(present, c)]
    if problems:
        raise PlanError(problems)
    writers = tuple(
        Writer(one, stagings[one.source], targets[one.table], sources[one.source].primary_key) for one in mapping.tables
    )
    by_source = {
        name: SourceTable(table, stagings[name], tuple(w for w in writers if w.mapping.source == name))
        for name, table in sources.items()
    }
    return Plan(by_source, writers, _cascades(source, writers, sources, accepted))


def _cascades(
    source: Session, writers: Sequence[Writer], sources: Mapping[str, Table], accepted: Collection[str]
) -> Cascades:
    """Raises PlanError naming each foreign key that changes rows which nothing tells."""
    keys, server = read_foreign_keys(source), Server.of(source)
    names = {key.parent for key in keys if key.child in sources}
    parents = {name: table for name in names if (table := read_table(source, name, server)) is not None}
    try:
        cascades = plan_cascades([k for k in keys if k.parent in parents], keys, writers, sources, parents, accepted)
    except Unsupported as error:
        raise PlanError([str(error)]) from error
    if cascades.refused:
        raise PlanError([*cascades.refused, ACCEPT])
    return cascades


def key_columns(mapping: CapabilityMapping, table: Table) -> tuple[str, ...]:
    """The columns of a source table that say which row of the target is meant."""
    expressions = [e for one in mapping.tables if one.source == table.name for e in one.key.values()]
    return mentioned(expressions, table.columns)


def _used(mapping: CapabilityMapping, table: Table) -> tuple[str, ...]:
    expressions = [e for one in mapping.tables if one.source == table.name for e in _expressions(one)]
    return mentioned(expressions, table.columns)


def _expressions(one: TableMapping) -> list[str]:
    return [*one.expressions.values(), *([one.where] if one.where else [])]


def _source_tables(
    mapping: CapabilityMapping, session: Session, problems: list[str], shapes: Mapping[str, Table]
) -> dict[str, Table]:
    server, found = Server.of(session), dict[str, Table]()
    for name in mapping.sources:
        table = shapes.get(name) or read_table(session, name, server)
        if table is None:
            problems.append(f"the source has no table {name} (or the account may not read it)")
        elif not table.primary_key:
            problems.append(f"{name} has no primary key: a stream can't tell its rows apart. Add one to {name}")
        else:
            found[name] = table
    return found


def _target_tables(mapping: CapabilityMapping, session: Session, problems: list[str]) -> dict[str, TargetTable]:
    server, found = Server.of(session), dict[str, TargetTable]()
    for one in mapping.tables:
        table = read_table(session, one.table, server)
        if table is None:
            problems.append(f"the target has no table {one.table} (or the account may not read it)")
            continue
        unique: dict[str, tuple[str | None, ...]] = {}
        with session.cursor() as cursor:
            cursor.execute(_UNIQUE, (one.table,))
            for index, column in cursor.fetchall():
                unique[index] = (*unique.get(index, ()), column)
            cursor.execute(_COUNTED, (one.table,))
            counted = cursor.fetchone()
            cursor.execute(_REFERENCED, (one.table,))
            referenced = tuple(row[0] for row in cursor.fetchall())
        key = {column.lower() for column in one.key}
        covered = any({str(column).lower() for column in columns} <= key for columns in unique.values())
        if not covered and not one.append:  # what is only appended is looked for by its key, index or not
            problems.append(
                f"{one.table}: the mapping's key ({', '.join(one.key)}) covers no unique key of the table:"
                " add a unique index on it"
            )
        others = other_unique_keys(one.key, unique)
        found[one.table] = TargetTable(table, others, bool(counted and counted[0]), referenced)
    return found


def _generated(columns: dict[str, Column], name: str) -> bool:
    return name in columns and columns[name].generated
