"""Comparing all tables of one capability."""

from __future__ import annotations

import difflib
import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from typing import Any

from cdc.database import Database
from cdc.expression import describe
from cdc.mapping import CapabilityMapping, TableMapping
from cdc.ownership.gate import pass_fence
from cdc.schema import read_table
from cdc.server import Server
from cdc.state import Direction
from cdc.verify.errors import VerifyError
from cdc.verify.mark import Marks
from cdc.verify.pace import Limits
from cdc.verify.plan import TablePlan, plan_table
from cdc.verify.result import Progress, VerifyResult
from cdc.verify.settle import CONFIRMATIONS, Settle
from cdc.verify.side import Sessions
from cdc.verify.table import Options, TableComparison

_HOT_ROUNDS = 2 * CONFIRMATIONS  # hot rows seldom stand still; those that don't are looked at the next time


def verify_capability(
    mapping: CapabilityMapping,
    source: Database,
    target: Database,
    tables: Collection[str] | None = None,
    *,
    settle: Settle | None = None,
    settle_timeout_seconds: float = 30.0,
    progress: Callable[[Progress], None] | None = None,
    repair: bool = False,
    listed_at_most: int = 1000,
    limits: Limits | None = None,
    marks: Marks | None = None,
    stop: threading.Event | None = None,
) -> VerifyResult:
    """Compare every row of the mapped tables by key, the mapping's expressions on ``source`` against the columns on
    ``target``; blocks (run it in a thread).

    ``tables`` are names of the new side's tables (all of the mapping when None). Without ``settle`` (no stream is
    running) differences are re-read once but not waited for, and the result says so (``waited`` False). ``progress``
    is called about twice a second from the calling thread. ``repair`` writes the owner's value for the listed keys; the
    fence of ownership refuses it where new owns. Tables that the service only appends to are left out.
    ``marks`` keep how far it is, and it goes on from those it finds there; a table whose two keys don't match in ranges
    is begun anew. ``stop`` ends it from another thread.
    Raises VerifyError: unknown table, connection, a key expression that several rows share; NotSettled when the stream
    stands still; Interrupted.
    """
    chosen = _chosen(mapping, tables)
    options = Options(settle, settle_timeout_seconds, progress, repair, listed_at_most, limits or Limits(), marks, stop)
    options = replace(options, enter=lambda cursor: pass_fence(cursor, mapping.capability, Direction.TO_NEW))
    with closing(Sessions("legacy", source)) as legacy, closing(Sessions("new", target)) as new:
        plans = [_plan(table, legacy, new) for table in chosen]
        results = tuple(TableComparison(plan, legacy, new, options).run() for plan in plans)
    return VerifyResult(mapping.capability, results)


def verify_changed(
    mapping: CapabilityMapping,
    source: Database,
    target: Database,
    changed: Mapping[str, Sequence[Mapping[str, Any]]],
    settle: Settle,
    *,
    settle_timeout_seconds: float = 30.0,
    stop: threading.Event | None = None,
) -> VerifyResult:
    """Compare only the rows with these primary keys of legacy tables, as change events hold them; blocks.

    A deleted row is looked for on the new side where the mapping keeps its key as it is; elsewhere, and for keys of
    times, it takes a whole comparison. Raises as ``verify_capability``.
    """
    options = Options(settle, settle_timeout_seconds, stop=stop, rounds=_HOT_ROUNDS)
    with closing(Sessions("legacy", source)) as legacy, closing(Sessions("new", target)) as new:
        results = []
        for table in mapping.forth.tables:
            if rows := changed.get(table.source):
                plan = _plan(table, legacy, new)
                comparison = TableComparison(plan, legacy, new, options)
                results.append(comparison.look_at(comparison.keys_of(rows)))
    return VerifyResult(mapping.capability, tuple(results))


def _chosen(mapping: CapabilityMapping, tables: Collection[str] | None) -> list[TableMapping]:
    if tables is None:
        return list(mapping.forth.tables)
    known = {table.table: table for table in mapping.forth.tables}
    for name in tables:
        if name not in known:
            near = difflib.get_close_matches(name, known, 1)
            hint = f"did you mean {near[0]}?" if near else f"it has {', '.join(known) or 'none'}"
            raise VerifyError(f"capability {mapping.capability} maps no table {name}: {hint}")
    return [table for name, table in known.items() if name in tables]


def _plan(mapping: TableMapping, legacy: Sessions, new: Sessions) -> TablePlan:
    with legacy.session() as old, new.session() as fresh:
        servers = Server.of(old), Server.of(fresh)
        source = read_table(old, mapping.source, servers[0])
        target = read_table(fresh, mapping.table, servers[1])
        for table, name, side in ((source, mapping.source, legacy), (target, mapping.table, new)):
            if table is None:
                raise VerifyError(f"the {side.name} side ({side.database}) has no table {name}")
        assert source is not None and target is not None
        types = describe(old, source.name, mapping.expressions.values())
    return plan_table(mapping, source, target, types, *servers)
