"""The delta check: rows that the stream has touched of late, compared once more after the fence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing

from cdc.expression import TypeClass, class_of, quote
from cdc.mapping import CapabilityMapping, inverse
from cdc.ownership.proof import Comparison, WayBack, owned_part, plan_of, sessions_of
from cdc.ownership.recent import recent
from cdc.ownership.side import Side, Sides
from cdc.schema import Table, read_table
from cdc.server import Server
from cdc.session import open_session
from cdc.state import Direction
from cdc.verify.canonical import Form, quoted_text
from cdc.verify.chunks import Pair
from cdc.verify.errors import VerifyError
from cdc.verify.side import Key, Sessions
from cdc.verify.side import Side as TableSide

_TOGETHER = 500
_AS_WRITTEN = frozenset({TypeClass.INTEGER, TypeClass.DECIMAL, TypeClass.TEXT})
Noted = Mapping[str, object]


def delta(mapping: CapabilityMapping, sides: Sides, to: Side) -> list[WayBack]:
    """After the fence, before ``to`` becomes owner: by owned table of ``to``, of the rows whose keys were noted there
    (``row.watch``), those that are not what the old owner has. Nobody writes meanwhile, so nothing is waited for.

    Raises VerifyError, also for keys of types that are not noted as they are written (dates, bytes): use ``prove``.
    """
    direction = Direction.TO_NEW if to is Side.NEW else Direction.TO_LEGACY
    with closing(open_session(sides.of(to), schema=False)) as session:
        noted = recent(session, mapping.capability, direction)
    ways = mapping if to is Side.NEW else inverse(mapping)
    found = []
    with sessions_of(sides) as both:
        source, target = both if to is Side.NEW else both[::-1]
        for one in ways.tables:
            rows = noted.get(one.source, []) if one.owned else []
            if not rows:
                continue
            plan = plan_of(owned_part(one), source, target)
            keys = _keys(source, one.source, plan.legacy.keys, rows)
            pair = Pair(TableSide(source, plan.legacy, plan.key_columns), TableSide(target, plan.new, plan.key_columns))
            found.append(Comparison(one.table, plan, pair, (pair.legacy, pair.new)).run_keys(keys))
    return found


def _keys(sessions: Sessions, table: str, forms: Sequence[Form], rows: Sequence[Noted]) -> list[Key]:
    """The target's keys of these rows, as verify knows them: the mapping's expressions over what was noted."""
    with sessions.session() as session:
        described = read_table(session, table, Server.of(session))
    assert described is not None
    shown = ", ".join(form.shown for form in forms)
    found: dict[Key, None] = {}
    for start in range(0, len(rows), _TOGETHER):
        selects = " UNION ALL ".join(_select(described, row) for row in rows[start : start + _TOGETHER])
        with sessions.session() as session, session.cursor() as cursor:
            cursor.execute(f"SELECT {shown} FROM ({selects}) AS noted")
            found.update(dict.fromkeys(tuple(row) for row in cursor.fetchall()))
    return list(found)


def _select(table: Table, row: Noted) -> str:
    return "SELECT " + ", ".join(f"{_literal(table, name, value)} AS {quote(name)}" for name, value in row.items())


def _literal(table: Table, name: str, value: object) -> str:
    if class_of(table.columns[name]) not in _AS_WRITTEN:
        raise VerifyError(
            f"{table.name}.{name}: keys of type {table.columns[name].full_type} are not noted as they are"
        )
    if value is None:
        return "NULL"
    return str(value) if isinstance(value, int) else quoted_text(str(value))
