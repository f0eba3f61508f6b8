"""The applier's gate: in each of its transactions it asks who owns what it is about to write.

The row is read with a shared lock, so ownership can't move before the transaction ends; the fence triggers know the
applier by the token that it read there.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pymysql
from pymysql.cursors import Cursor

from cdc.cascade import Removed
from cdc.event import Change, Place, Truncate
from cdc.ownership.fence import APPLIER
from cdc.ownership.row import TABLE, Ownership
from cdc.ownership.side import Side, source_side
from cdc.position import Position, parse_gtids
from cdc.state import MISSING, Direction

Step = Sequence[Change] | Truncate | Removed
# The row without a name is there for the lock: ``row.ensure`` waits for it.
_READ = (
    f"SELECT capability, owner, token, since, watch FROM {TABLE} WHERE capability IN (%s, '') AND side = %s"
    " LOCK IN SHARE MODE"
)


class Gate:
    """One stream's, on one session of its target. Not for use from several threads."""

    def __init__(self, capability: str, direction: Direction) -> None:
        self.capability, self.direction = capability, direction
        self._source = source_side(direction)
        self.side = self._source.other
        self._said: str | None = None
        self._begins: tuple[str, Position] | None = None
        self._last: tuple[str | None, bool] = (None, False)

    def enter(self, cursor: Cursor) -> Ownership | None:
        """In the caller's transaction, before it writes: who owns now; None when the capability was never armed. From
        here on the fence lets this session through, if the other side owns."""
        cursor.execute(_READ, (self.capability, self.side))
        found = next((row for row in cursor.fetchall() if row[0]), None)
        row = None
        if found is not None:
            _, owner, token, since, watch = found
            row = Ownership(self.capability, self.side, Side(owner), int(token), since, bool(watch))
        said = None if row is None else f"{self.capability}:{row.token}"
        if said != self._said:
            cursor.execute(f"SET {APPLIER} = %s", (said,))
            self._said = said
        return row

    def opens(self, row: Ownership | None) -> bool:
        """Whether what belongs to the owner is carried now, apart from ``since``."""
        if row is None:
            return self.direction is Direction.TO_NEW
        return row.owner is self._source and row.since is not None

    def split(self, row: Ownership | None, steps: Iterable[Step]) -> list[tuple[bool, Step]]:
        """The steps, each with whether it comes from an owner; one that is so only in part is cut in two.

        An event comes from an owner when the source side owns, and it is not contained in ``since``: what is, was
        written by this stream's own counterpart.
        """
        if not self.opens(row):
            return [(False, step) for step in steps]
        if row is None or not row.since:
            return [(True, step) for step in steps]
        found: list[tuple[bool, Step]] = []
        for step in steps:
            if isinstance(step, (Truncate, Removed)):
                found.append((self._after(row.since, step.place), step))
                continue
            cut = 0
            for number, change in enumerate(step):
                if self._after(row.since, change.place) != self._after(row.since, step[cut].place):
                    found.append((self._after(row.since, step[cut].place), step[cut:number]))
                    cut = number
            if step:
                found.append((self._after(row.since, step[cut].place), step[cut:] if cut else step))
        return found

    def _after(self, since: str, place: Place) -> bool:
        """Whether the event is beyond ``since``."""
        known = place.gtid or f"{place.file}:{place.offset}"
        if self._begins is None or self._begins[0] != since:
            self._begins, self._last = (since, Position.parse(since)), (None, False)
        if self._last[0] != known:
            at = Position(parse_gtids(place.gtid or ""), place.file, place.offset)
            self._last = (known, not self._begins[1].contains(at))
        return self._last[1]


def pass_fence(cursor: Cursor, capability: str, direction: Direction) -> None:
    """In the caller's transaction: as the stream of this direction would. For those who repair what it has written."""
    try:
        Gate(capability, direction).enter(cursor)
    except pymysql.err.MySQLError as error:
        if not error.args or error.args[0] not in MISSING:  # no stream was ever here
            raise
