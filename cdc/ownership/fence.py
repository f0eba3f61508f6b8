"""The fence triggers' text. Pure.

Each owned table of both sides has a trigger for INSERT, UPDATE and DELETE that reads the capability's ownership row
with a shared lock, which the move of ownership has to wait for, and refuses whoever may not write. An applier is known
by its session variable, which carries the token that it has read: one with an older token is refused too.

They are AFTER triggers: what is refused is undone with its statement all the same, they see the row as triggers of
others have left it, and MariaDB 11.4.5 (10.11.11, 10.6.21) can't INSERT ... SELECT more than one row into a table with
a BEFORE trigger and a NOT NULL column without default ("Column can't be null").
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from cdc.apply.refusal import FENCE
from cdc.expression import TypeClass, class_of, quote
from cdc.mapping import CapabilityMapping
from cdc.ownership.row import TABLE
from cdc.ownership.side import Side
from cdc.schema import Column, Table

APPLIER = "@strangler_applier"
"""The applier's session variable: ``capability:token``."""
_NAME_LENGTH, _MESSAGE_LENGTH = 64, 128


class Event(StrEnum):
    INSERT = "INSERT"
    UPDATE = "UPDATE"
    DELETE = "DELETE"


@dataclass(frozen=True)
class Guarded:
    """What of one table is fenced. ``columns``: an UPDATE that leaves them alone is nobody's business; None: all.
    ``inserts``: False where rows may be added by anybody (a legacy table of which the capability owns a group).
    ``births``: the applier may add rows also where this side owns (the new table of a group)."""

    table: str
    columns: tuple[str, ...] | None = None
    inserts: bool = True
    births: bool = False


@dataclass(frozen=True)
class Trigger:
    """One trigger as it has to be."""

    name: str
    table: str
    event: Event
    body: str

    @property
    def create(self) -> str:
        return f"CREATE TRIGGER {quote(self.name)} AFTER {self.event} ON {quote(self.table)} FOR EACH ROW {self.body}"

    @property
    def drop(self) -> str:
        return f"DROP TRIGGER IF EXISTS {quote(self.name)}"


def guarded(mapping: CapabilityMapping, side: Side) -> list[Guarded]:
    """The tables of ``side`` that have an owner, each once, in the mapping's order."""
    owned = [one for one in mapping.tables if one.owned]
    if side is Side.NEW:
        return [Guarded(one.table, one.derived, births=bool(one.owns)) for one in owned]
    found: dict[str, Guarded] = {}
    for one in owned:
        before = found.get(one.source)
        if not one.owns:
            found[one.source] = Guarded(one.source)
        elif before is None:
            found[one.source] = Guarded(one.source, tuple(dict.fromkeys([*one.owns, *one.source_key])), inserts=False)
        elif before.columns is not None:
            columns = tuple(dict.fromkeys([*before.columns, *one.owns, *one.source_key]))
            found[one.source] = Guarded(one.source, columns, inserts=False)
    return list(found.values())


def triggers(capability: str, side: Side, guard: Guarded, table: Table) -> list[Trigger]:
    """Those of one table, ``table`` as it is there. Raises KeyError for a column that it does not have."""
    names = {name.lower(): column for name, column in table.columns.items()}
    columns = None if guard.columns is None else [names[name.lower()] for name in guard.columns]
    events = [event for event in Event if event is not Event.INSERT or guard.inserts]
    return [
        Trigger(
            trigger_name(capability, guard.table, event),
            guard.table,
            event,
            _body(capability, side, guard.table, columns if event is Event.UPDATE else None)
            if not (guard.births and event is Event.INSERT)
            else _body(capability, side, guard.table, None, births=True),
        )
        for event in events
    ]


def trigger_name(capability: str, table: str, event: Event) -> str:
    """``strangler_<capability>_<table>_<event>``; what is too long is cut and told apart by a digest."""
    name = f"{prefix(capability)}{table}_{event.lower()}"
    if len(name) <= _NAME_LENGTH:
        return name
    digest = hashlib.md5(name.encode(), usedforsecurity=False).hexdigest()[:10]
    return f"{name[: _NAME_LENGTH - 18]}_{digest}_{event.lower()}"


def prefix(capability: str) -> str:
    """How the names of a capability's triggers begin."""
    return f"strangler_{capability}_"


def message(capability: str, table: str, side: Side) -> str:
    """What a writer is told on ``side``, which does not own ``table``: who does, and what to do. At most 128
    characters, which is what MySQL lets through; of names that are too long the table's is cut."""
    if side is Side.LEGACY:
        rest = (
            f" belongs to new (capability {capability}): write through the service, or strangler rollback {capability}"
        )
    else:
        rest = f" belongs to legacy (capability {capability}): write through the monolith"
    return _fitting(table, rest)


def applier_message(capability: str, table: str, side: Side) -> str:
    """What an applier is told where its target owns."""
    return _fitting(table, f" belongs to {side} itself (capability {capability}): no stream may write it now")


def unarmed_message(capability: str, table: str) -> str:
    """What everybody is told where the ownership row is missing."""
    return _fitting(table, f": ownership of {capability} is not recorded here: strangler doctor, or drop its triggers")


def _fitting(table: str, rest: str) -> str:
    head = f"{FENCE} "
    room = _MESSAGE_LENGTH - len(head) - len(rest)
    if room < 8:  # a capability of 60 letters
        rest, room = rest[: _MESSAGE_LENGTH - len(head) - 24], 24
    return head + (table if len(table) <= room else table[: room - 3] + "...") + rest


def _body(capability: str, side: Side, table: str, columns: Sequence[Column] | None, *, births: bool = False) -> str:
    name = _text(capability)
    appliers = f"{APPLIER} <=> CONCAT({name}, ':', strangler_token)"
    # other capabilities' appliers are writers like any
    own = f"IF SUBSTRING_INDEX({APPLIER}, ':', 1) <=> {name} THEN {_refuse(applier_message(capability, table, side))}"
    checks = [
        "DECLARE strangler_owner VARCHAR(8) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL;",
        "DECLARE strangler_token BIGINT DEFAULT NULL;",
        f"SELECT owner, token INTO strangler_owner, strangler_token FROM {TABLE}"
        f" WHERE capability = {name} AND side = '{side}' LOCK IN SHARE MODE;",
        f"IF strangler_owner = '{side}' THEN",
        "  BEGIN END;" if births else f"  {own} END IF;",
        f"ELSEIF strangler_owner = '{side.other}' THEN",
        f"  IF NOT ({appliers}) THEN {_refuse(message(capability, table, side))} END IF;",
        f"ELSE {_refuse(unarmed_message(capability, table))}",
        "END IF;",
    ]
    lines = "\n".join(checks)
    if columns is None:
        return f"BEGIN\n{lines}\nEND"
    same = " AND ".join(_unchanged(column) for column in columns)
    return f"BEGIN\nIF NOT ({same}) THEN BEGIN\n{lines}\nEND; END IF;\nEND"


def _unchanged(column: Column) -> str:
    """Letter by letter: what a collation takes for equal is a change all the same."""
    name = quote(column.name)
    if class_of(column) is TypeClass.TEXT and column.type not in ("enum", "set"):
        return f"CAST(OLD.{name} AS BINARY) <=> CAST(NEW.{name} AS BINARY)"
    return f"OLD.{name} <=> NEW.{name}"


def _refuse(text: str) -> str:
    return f"SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = {_text(text)};"


def _text(value: str) -> str:
    return "'" + value.replace("\\", "\\\\").replace("'", "''") + "'"
