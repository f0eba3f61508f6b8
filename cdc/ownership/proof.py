"""Is the way back lossless? Asked of the rows themselves, all of them, through the comparison that verify makes.

Before a move, ``prove``: legacy computes nothing, it holds its rows; the new side's server computes ``back`` over its
rows, which are ``forth`` of them as they are stored; what differs would be lost. While new owns, ``at_risk``: the way
back has written legacy's rows, and ``forth`` of what legacy could keep has to give the new side's rows again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from itertools import islice

from cdc.expression import describe
from cdc.mapping import CapabilityMapping, TableMapping, inverse
from cdc.ownership.side import Side, Sides
from cdc.schema import read_table
from cdc.server import Server
from cdc.state import Direction, StreamDesk, StreamSettle
from cdc.verify.buckets import suspects_by_bucket
from cdc.verify.canonical import presented
from cdc.verify.chunks import Looking, Pair, suspects_by_range
from cdc.verify.errors import VerifyError
from cdc.verify.plan import TablePlan, plan_table
from cdc.verify.result import Key as ShownKey
from cdc.verify.settle import Settle, settle_keys
from cdc.verify.side import Digest, Key, Sessions
from cdc.verify.side import Side as TableSide

SHOWN = 20
_TOGETHER = 5_000
_CHUNK_ROWS = 20_000


@dataclass(frozen=True)
class WayBack:
    """One table. ``rows`` were compared, ``lost`` of them do not come out as they are; ``examples`` are keys of the
    first ones, ``columns`` those in which these differ. ``unsettled`` changed all the time, or were waited for in
    vain. Keys are legacy's, or the new side's where its rows are asked about."""

    table: str
    rows: int
    lost: int
    examples: tuple[ShownKey, ...] = ()
    columns: tuple[str, ...] = ()
    unsettled: int = 0

    @property
    def proven(self) -> bool:
        return not self.lost and not self.unsettled


def settle(sides: Sides, capability: str, owner: Side) -> StreamSettle:
    """Over the stream that carries the owner's rows, which has to run; for ``prove``, ``at_risk`` and verify."""
    direction = Direction.TO_NEW if owner is Side.LEGACY else Direction.TO_LEGACY
    return StreamSettle(sides.of(owner), StreamDesk(sides.of(owner.other), capability, direction))


def prove(
    mapping: CapabilityMapping,
    sides: Sides,
    settled: Settle | None = None,
    *,
    told: Callable[[str, int], None] = lambda table, rows: None,
    timeout_seconds: float = 30.0,
) -> list[WayBack]:
    """While legacy owns: ``back(forth(row)) = row`` for each row of each owned table, in the columns that the way back
    writes. ``settled`` as ``settle`` gives it: without one, rows in flight count as lost. ``told``: table, rows so far.

    Blocks. Raises ValueError (no way back), VerifyError, NotSettled.
    """
    forth = {one.table: one for one in mapping.tables}
    found = []
    with sessions_of(sides) as (legacy, new):
        for one in inverse(mapping).tables:
            if one.append:
                continue
            plan = plan_of(one, new, legacy)
            plan = replace(plan, new=replace(plan.new, where=forth[one.source].where))
            pair = Pair(TableSide(new, plan.legacy, plan.key_columns), TableSide(legacy, plan.new, plan.key_columns))
            comparison = Comparison(one.source, plan, pair, (pair.new, pair.legacy), settled, timeout_seconds, told)
            found.append(comparison.run(lambda legacy_row, new_row: True))
    return found


def owned_part(one: TableMapping) -> TableMapping:
    """Without the columns that follow legacy whoever owns."""
    return replace(one, columns={name: sql for name, sql in one.columns.items() if name in one.derived})


def at_risk(
    mapping: CapabilityMapping,
    sides: Sides,
    settled: Settle | None = None,
    *,
    told: Callable[[str, int], None] = lambda table, rows: None,
    timeout_seconds: float = 30.0,
) -> list[WayBack]:
    """While new owns: rows of the new side that legacy could not keep as they are, so that a rollback would lose them
    or parts of them. Else as ``prove``."""
    found = []
    with sessions_of(sides) as (legacy, new):
        for one in mapping.tables:
            if not one.owned:
                continue
            plan = plan_of(owned_part(one), legacy, new)
            pair = Pair(TableSide(legacy, plan.legacy, plan.key_columns), TableSide(new, plan.new, plan.key_columns))
            comparison = Comparison(one.table, plan, pair, (pair.new, pair.legacy), settled, timeout_seconds, told)
            found.append(comparison.run(lambda new_row, legacy_row: new_row is not None))
    return found


@dataclass
class Comparison:
    """``owner`` and ``other`` are the two sides of the pair, by who writes."""

    table: str
    plan: TablePlan
    pair: Pair
    sides: tuple[TableSide, TableSide]
    settled: Settle | None = None
    timeout_seconds: float = 30.0
    told: Callable[[str, int], None] = lambda table, rows: None
    rows: int = 0
    lost: int = 0
    unsettled: int = 0
    named: list[Key] = field(default_factory=list)

    def run(self, counts: Callable[[Digest | None, Digest | None], bool]) -> WayBack:
        """``counts``: whether a difference, the owner's row and the other's, is a loss."""
        with self.pair:
            search = suspects_by_range if self.plan.ranges else suspects_by_bucket
            suspects = search(self.pair, Looking(_CHUNK_ROWS, self.plan.rowwise, self._count))
            for keys in suspects:
                for some in _parts(keys):
                    self._settle(some, counts)
            columns = self._columns()
        shown = tuple(self._shown(key) for key in self.named)
        return WayBack(self.table, self.rows, self.lost, shown, columns, self.unsettled)

    def run_keys(self, keys: list[Key]) -> WayBack:
        """Only these."""
        self.rows = len(keys)
        for some in _parts(keys):
            self._settle(some, lambda owner, other: True)
        return WayBack(self.table, self.rows, self.lost, tuple(map(self._shown, self.named)), self._columns())

    def _count(self, rows: int) -> None:
        self.rows += rows
        self.told(self.table, self.rows)

    def _settle(self, keys: list[Key], counts: Callable[[Digest | None, Digest | None], bool]) -> None:
        owner, other = self.sides
        found = settle_keys(
            keys,
            owner.digests_of,
            other.digests_of,
            self.settled,
            timeout_seconds=self.timeout_seconds,
            confirmations=1 if len(self.named) >= SHOWN else 3,
        )
        lost = [key for key, pair in found.different.items() if counts(*pair)]
        self.lost += len(lost)
        self.unsettled += len(found.unsettled)
        self.named += lost[: SHOWN - len(self.named)]

    def _columns(self) -> tuple[str, ...]:
        owner, other = (side.rows_of(self.named) for side in self.sides)
        names = [column.name for column in self.plan.value_columns]
        both = [(owner[key], other[key]) for key in self.named if key in owner and key in other]
        return tuple(name for index, name in enumerate(names) if any(old[index] != new[index] for old, new in both))

    def _shown(self, key: Key) -> ShownKey:
        forms = zip(self.plan.key_columns, self.plan.new.keys, key, strict=True)
        return {column.name: presented(form.type_class, text) for column, form, text in forms}


@contextmanager
def sessions_of(sides: Sides) -> Iterator[tuple[Sessions, Sessions]]:
    """Legacy's and new's."""
    with closing(Sessions("legacy", sides.legacy)) as legacy, closing(Sessions("new", sides.new)) as new:
        yield legacy, new


def plan_of(one: TableMapping, computes: Sessions, holds: Sessions) -> TablePlan:
    """``one.expressions`` over rows of ``computes``, against columns of ``holds``."""
    with computes.session() as left, holds.session() as right:
        servers = Server.of(left), Server.of(right)
        source, target = read_table(left, one.source, servers[0]), read_table(right, one.table, servers[1])
        for table, name, side in ((source, one.source, computes), (target, one.table, holds)):
            if table is None:
                raise VerifyError(f"the {side.name} side ({side.database}) has no table {name}")
        assert source is not None and target is not None
        types = describe(left, source.name, one.expressions.values())
    return plan_table(one, source, target, types, *servers)


def _parts(keys: list[Key]) -> Iterator[list[Key]]:
    rest = iter(keys)
    while some := list(islice(rest, _TOGETHER)):
        yield some
