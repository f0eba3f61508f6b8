"""Fence triggers: put up, looked after, taken down."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass

import pymysql

from cdc.expression import quote
from cdc.mapping import CapabilityMapping, no_way_back
from cdc.mapping_check import nearest
from cdc.mention import mentioned
from cdc.ownership.alter import alter
from cdc.ownership.cascade import crossing, foreign_keys
from cdc.ownership.fence import Guarded, Trigger, guarded, prefix, triggers
from cdc.ownership.row import Ownership, OwnershipError, ensure, forget, read_both
from cdc.ownership.side import Side, Sides
from cdc.schema import Table, read_table, table_names
from cdc.server import Server
from cdc.session import Session, open_session

_NO_TRUST = 1419
_TRIGGERS = (
    "SELECT TRIGGER_NAME, EVENT_OBJECT_TABLE, EVENT_MANIPULATION, ACTION_TIMING, ACTION_STATEMENT"
    " FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = DATABASE()"
)


@dataclass(frozen=True)
class Fault:
    """Something about the fence that is not as it has to be. ``kind``: missing, changed, foreign, cascade,
    table, row."""

    kind: str
    side: Side
    table: str
    message: str
    fix: str

    def __str__(self) -> str:
        return f"{self.side}: {self.message}: {self.fix}"


@dataclass(frozen=True)
class _Present:
    name: str
    table: str
    event: str
    timing: str
    body: str


def arm(mapping: CapabilityMapping, sides: Sides) -> list[str]:
    """Ownership rows and triggers on both sides, where they are not yet; the names of triggers that were made. Safe to
    repeat, while the tables are written to and streamed. A table is locked for the moment in which its trigger is made.

    Raises OwnershipError with everything that forbids it (no way back, a table or column that is not there, a foreign
    key that changes rows across the border, rights), before anything is changed; pymysql.err.MySQLError.
    """
    problems = no_way_back(mapping)
    wanted: dict[Side, list[Trigger]] = {}
    for side in Side:
        with closing(open_session(sides.of(side))) as session:
            wanted[side], faults = _wanted(session, mapping, side)
            problems += [str(fault) for fault in (*faults, *_cascades(session, mapping, side))]
    if problems:
        raise OwnershipError("; ".join(problems))
    ensure(sides, mapping.capability)
    made = []
    for side in Side:
        with closing(open_session(sides.of(side))) as session:
            made += _make(session, mapping.capability, wanted[side])
    return made


def disarm(capability: str, sides: Sides) -> list[str]:
    """Take down the triggers and rows of both sides; the names of triggers that are gone. Safe to repeat.

    Raises OwnershipError while new owns: without the fence both sides could write, and nobody would tell the stream.
    """
    for side, row in read_both(sides, capability).items():
        if row is not None and row.owner is Side.NEW:
            raise OwnershipError(
                f"new owns {capability} (as the {side} side has it): strangler rollback {capability} first"
            )
    gone = []
    for side in Side:
        with closing(open_session(sides.of(side))) as session, session.cursor() as cursor:
            for one in _present(session):
                if one.name.startswith(prefix(capability)):
                    alter(cursor, one.table, f"DROP TRIGGER IF EXISTS {quote(one.name)}")
                    gone.append(one.name)
    forget(sides, capability)
    return gone


def check(mapping: CapabilityMapping, sides: Sides) -> list[Fault]:
    """What is wrong with the fence now; empty when it is whole. Writes nothing. For doctor, preflight and each move.

    Raises pymysql.err.OperationalError when a side can't be reached.
    """
    found: list[Fault] = []
    for side in Side:
        with closing(open_session(sides.of(side))) as session:
            wanted, faults = _wanted(session, mapping, side)
            found += [*faults, *_differences(session, mapping.capability, side, wanted)]
            found += _cascades(session, mapping, side)
    found += _rows(mapping.capability, read_both(sides, mapping.capability))
    return found


def armed(capability: str, sides: Sides) -> bool:
    """Whether there are ownership rows on both sides."""
    return all(row is not None for row in read_both(sides, capability).values())


def _wanted(session: Session, mapping: CapabilityMapping, side: Side) -> tuple[list[Trigger], list[Fault]]:
    server, wanted, faults = Server.of(session), list[Trigger](), list[Fault]()
    for guard in guarded(mapping, side):
        table = read_table(session, guard.table, server)
        if table is None:
            known = nearest(guard.table, table_names(session))
            faults.append(Fault("table", side, guard.table, f"there is no table {guard.table}", known))
            continue
        here = {name.lower() for name in table.columns}
        lacking = [name for name in guard.columns or () if name.lower() not in here]
        faults += [
            Fault("table", side, guard.table, f"{guard.table} has no column {name!r}", nearest(name, table.columns))
            for name in lacking
        ]
        if not lacking:
            wanted += triggers(mapping.capability, side, guard, table)
        if side is Side.LEGACY:
            faults += [*_wrong_key(mapping, guard, table.primary_key), *_wrong_where(mapping, guard, table)]
    return wanted, faults


def _wrong_key(mapping: CapabilityMapping, guard: Guarded, primary_key: tuple[str, ...]) -> list[Fault]:
    """The way back finds rows by what it takes for the legacy table's key."""
    key = {name.lower() for name in primary_key}
    return [
        Fault(
            "table",
            Side.LEGACY,
            guard.table,
            f"the way back finds rows of {guard.table} by {', '.join(one.source_key) or 'nothing'}, its primary key is"
            f" {', '.join(primary_key) or 'missing'}",
            f"make {one.table}.key of the primary key, and give its columns in back",
        )
        for one in mapping.tables
        if one.owned and one.source == guard.table and {name.lower() for name in one.source_key} != key
    ]


def _wrong_where(mapping: CapabilityMapping, guard: Guarded, table: Table) -> Iterator[Fault]:
    """Rows of a group may leave the new side only by what the group owns: while new owns, nothing else is looked at."""
    for one in mapping.tables:
        if one.source != guard.table or not one.owns or one.where is None:
            continue
        known = {name.lower() for name in (*one.owns, *one.source_key)}
        others = [name for name in mentioned([one.where], table.columns) if name.lower() not in known]
        if others:
            message = f"{one.table}.where asks for {others[0]}, which belongs to the rest of {guard.table}"
            yield Fault("table", Side.LEGACY, guard.table, message, f"let {one.table} own it, or leave it out of where")


def _make(session: Session, capability: str, wanted: list[Trigger]) -> list[str]:
    present, made = {one.name: one for one in _present(session)}, []
    names = {one.name for one in wanted}
    with session.cursor() as cursor:
        try:
            for trigger in wanted:
                there = present.get(trigger.name)
                if there is not None and _same(there, trigger):
                    continue
                if there is not None:
                    alter(cursor, trigger.table, trigger.drop)
                alter(cursor, trigger.table, trigger.create)
                made.append(trigger.name)
            for name in present:  # of a mapping that owned more
                if name.startswith(prefix(capability)) and name not in names:
                    alter(cursor, present[name].table, f"DROP TRIGGER IF EXISTS {quote(name)}")
        except pymysql.err.OperationalError as error:
            if error.args and error.args[0] == _NO_TRUST:
                raise OwnershipError(
                    "the account may not make triggers while the server writes a binlog:"
                    " SET GLOBAL log_bin_trust_function_creators = 1 there"
                ) from error
            raise
    return made


def _differences(session: Session, capability: str, side: Side, wanted: list[Trigger]) -> Iterator[Fault]:
    present = {one.name: one for one in _present(session)}
    again = "arm it again"
    for trigger in wanted:
        there = present.get(trigger.name)
        what = f"the {trigger.event} trigger {trigger.name} of {trigger.table}"
        if there is None:
            yield Fault("missing", side, trigger.table, f"{what} is missing", again)
        elif not _same(there, trigger):
            yield Fault("changed", side, trigger.table, f"{what} is not as it was made", again)
    names = {trigger.name for trigger in wanted}
    for name, there in present.items():
        if name.startswith(prefix(capability)) and name not in names:
            yield Fault("foreign", side, there.table, f"the trigger {name} of {there.table} guards nothing", again)


def _cascades(session: Session, mapping: CapabilityMapping, side: Side) -> Iterator[Fault]:
    for key in crossing(foreign_keys(session), guarded(mapping, side)):
        rules = f"ON DELETE {key.on_delete} ON UPDATE {key.on_update}"
        yield Fault(
            "cascade",
            side,
            key.child,
            f"the foreign key {key.name} ({key.child} to {key.parent}, {rules}) changes rows of {key.child} that"
            f" {'belong' if key.child in {g.table for g in guarded(mapping, side)} else 'do not belong'} to"
            f" {mapping.capability}, by no trigger and no event",
            f"make it ON DELETE RESTRICT ON UPDATE RESTRICT, or let both tables belong to {mapping.capability}",
        )


def _rows(capability: str, rows: dict[Side, Ownership | None]) -> Iterator[Fault]:
    for side, row in rows.items():
        if row is None:
            yield Fault("row", side, "", f"there is no ownership row of {capability}", "arm it")
    legacy, new = rows[Side.LEGACY], rows[Side.NEW]
    if legacy is not None and new is not None and (legacy.owner, legacy.token) != (new.owner, new.token):
        yield Fault(
            "row",
            Side.LEGACY,
            "",
            f"the sides differ about who owns {capability}: legacy says {legacy.owner} (token {legacy.token}), new says"
            f" {new.owner} (token {new.token})",
            "strangler repair",
        )


def _present(session: Session) -> list[_Present]:
    with session.cursor() as cursor:
        cursor.execute(_TRIGGERS)
        return [
            _Present(str(name), str(table), str(event), str(timing), str(body))
            for name, table, event, timing, body in cursor.fetchall()
        ]


def _same(there: _Present, trigger: Trigger) -> bool:
    return (
        there.table.lower() == trigger.table.lower()
        and (there.event, there.timing) == (trigger.event, "AFTER")
        and there.body.split() == trigger.body.split()
    )
