"""What a schema change means for one mapped table. Pure: statement and shapes in, a judgement out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from cdc.policy import Alteration, Reaction, SchemaPolicy
from cdc.schema import Table
from cdc.shape import alike, rewrites
from cdc.statement import Name, Statement

T = TypeVar("T")


@dataclass(frozen=True)
class Judgement:
    """``kinds``: what happened. ``lost``: why the stream can't go on, whatever was chosen. ``unseen``: per kind, why
    rows may stand at the target that no event will correct. ``gone``: no table stands under the name."""

    kinds: frozenset[Alteration] = frozenset()
    lost: str | None = None
    unseen: tuple[tuple[Alteration, str], ...] = ()
    gone: bool = False

    def stops(self, policy: SchemaPolicy) -> str | None:
        """Why the stream stops by choice, in words of ``strangler.toml``; None when it does not."""
        kinds = [kind for kind in Alteration if kind in self.kinds and policy.to(kind) is Reaction.STOP]
        return ", ".join(f'schema_changes.{kind} = "stop"' for kind in kinds) or None

    def copies(self, policy: SchemaPolicy) -> str | None:
        """Why the table is to be copied again; None when it is not."""
        return next((why for kind, why in self.unseen if policy.to(kind) is not Reaction.IGNORE), None)

    def left(self, policy: SchemaPolicy) -> str | None:
        """Why rows at the target may differ from now on, which was chosen to be ignored."""
        return next((why for kind, why in self.unseen if policy.to(kind) is Reaction.IGNORE), None)


def judge(
    table: Name, statement: Statement, before: Table | None, after: Table | None, used: Sequence[str], ddl: str
) -> Judgement:
    """``before`` and ``after`` are the table's shapes, None where it is not known; ``used`` are the columns that the
    mapping reads, ``ddl`` is the statement's text. What does not concern the table gives an empty judgement."""
    kinds, unseen = set[Alteration](), list[tuple[Alteration, str]]()
    arrived, gone = _has(statement.arrived, table), _has(statement.gone, table)
    if arrived:
        kinds.add(Alteration.SWAP)
        unseen.append((Alteration.SWAP, f"another table stands under the name {table[1]}"))
    elif gone or _same(table[0], statement.schemas):
        return Judgement(
            frozenset({Alteration.SWAP}),
            unseen=((Alteration.SWAP, f"the table {table[1]} is gone, or has another name"),),
            gone=True,
        )
    if (why := _of(statement.rewritten, table)) is not None:
        kinds.add(Alteration.SWAP)
        unseen.append((Alteration.SWAP, why))
    charset = _of(statement.converted, table)
    if charset is not None:
        kinds.add(Alteration.CHANGE)
        if charset != "utf8mb4":  # which holds all that others do
            unseen.append((Alteration.CHANGE, f"{table[1]} was converted to {charset}"))
    if after is None:
        return Judgement(frozenset(kinds), None, tuple(unseen))
    lost = _lost(table, after, used)
    if before is not None:
        _columns(table, statement, before, after, used, ddl, kinds, unseen, swapped=arrived)
    return Judgement(frozenset(kinds), lost, tuple(unseen))


def _lost(table: Name, after: Table, used: Sequence[str]) -> str | None:
    present = {column.lower() for column in after.columns}
    missing = [column for column in used if column.lower() not in present]
    if missing:
        return f"the mapping reads {table[1]}.{', '.join(missing)}"
    if not after.primary_key:
        return f"{table[1]} has no primary key any more, so that its rows can't be told apart"
    return None


def _columns(
    table: Name,
    statement: Statement,
    before: Table,
    after: Table,
    used: Sequence[str],
    ddl: str,
    kinds: set[Alteration],
    unseen: list[tuple[Alteration, str]],
    *,
    swapped: bool,
) -> None:
    old = {name.lower(): column for name, column in before.columns.items()}
    new = {name.lower(): column for name, column in after.columns.items()}
    renamed = {k.lower(): v.lower() for k, v in (_of(statement.columns, table) or {}).items()}
    if renamed:
        kinds.add(Alteration.RENAME)
    if new.keys() - old.keys() - set(renamed.values()):
        kinds.add(Alteration.ADD)
    if old.keys() - new.keys() - renamed.keys():
        kinds.add(Alteration.DROP)
    if before.primary_key != after.primary_key and not renamed:
        kinds.add(Alteration.CHANGE)
    read = {column.lower() for column in used}
    remade = {column.lower() for column in _of(statement.remade, table) or ()}
    for name in old.keys() & new.keys():
        if not alike(old[name], new[name]) or old[name].nullable != new[name].nullable:
            kinds.add(Alteration.CHANGE)
            if name in read and not swapped and rewrites(old[name], new[name]):
                unseen.append((Alteration.CHANGE, f"{table[1]}.{name} is of another type now"))
        elif name in read and name in remade and not swapped and _made_anew(name, old[name].generated, ddl):
            kinds.add(Alteration.CHANGE)
            unseen.append((Alteration.CHANGE, f"{table[1]}.{name} was made anew"))


def _made_anew(name: str, generated: bool, ddl: str) -> bool:
    """Whether a column that looks as before has other values: it is generated, by another expression perhaps, or was
    dropped and added in one statement, or renamed away and added."""
    times = sum(1 for word in ddl.replace("`", " ").replace(",", " ").split() if word.lower() == name)
    return generated or times > 1


def _has(names: set[Name], table: Name) -> bool:
    return any(name[0].lower() == table[0].lower() and name[1].lower() == table[1].lower() for name in names)


def _of(found: dict[Name, T], table: Name) -> T | None:
    return next((v for name, v in found.items() if _has({name}, table)), None)


def _same(schema: str, schemas: set[str]) -> bool:
    return schema.lower() in {name.lower() for name in schemas}
