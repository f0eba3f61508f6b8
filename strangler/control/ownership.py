"""Ownership in the two databases, and the streams between them, for a move: ``cutover.ports.Rows`` over ``cdc``."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import TypeVar

import pymysql
import structlog

from cdc.database import Database
from cdc.mapping import CapabilityMapping
from cdc.ownership import arm, delta, ids, move, proof, recent, row
from cdc.ownership.proof import WayBack
from cdc.ownership.row import Ownership, OwnershipError
from cdc.ownership.side import Side as Place
from cdc.ownership.side import Sides, source_side
from cdc.position import Position
from cdc.server import read_position
from cdc.session import Session, open_session
from cdc.state import Direction, StreamDesk, StreamState, StreamStatus, Wanted, await_position
from cdc.verify import VerifyError
from proxy.routes import Side
from strangler.config import NotRunning, Resolved
from strangler.control.sessions import KeptSessions
from strangler.cutover.decide import NOBODY
from strangler.cutover.ports import Owners
from strangler.cutover.steps import Move, check
from strangler.exits import Failed, Refused
from strangler.gates import duration, in_quarantine

log = structlog.get_logger()
T = TypeVar("T")

WAY_BACK_SECONDS = 90.0  # how long the other stream may take to start: Java, a connection, the first marker
BEHIND_SECONDS = 30.0
MOST_LAG_SECONDS = 1.0  # more than that can't be caught up within a hold
_LEAST_LOCK_WAIT = 1  # seconds; servers know no shorter one


class DatabaseRows:
    """``resolved`` is asked each time, so that a database that came up later is found."""

    def __init__(self, resolved: Callable[[], Resolved]) -> None:
        self._resolved = resolved
        self._sessions = KeptSessions()

    # --- before anybody waits ----------------------------------------------------------------------------------------

    async def prepare(self, move_: Move) -> str:
        problems = check(move_)
        if problems:
            raise Refused(f"the move of {move_.capability} can't be made", problems)
        mapping, sides = self._of(move_.capability)
        await self._ask(move_.capability, lambda: self._arm(mapping, sides))
        await self._ask(move_.capability, lambda: self._begin_watching(move_, sides))
        await self._await_way_back(move_)
        reasons = await self._reasons(move_)
        if reasons:
            await self.settle(move_)
            raise Refused(f"ownership of {move_.capability} can't move to {move_.owner} now", reasons)
        proven = await self._ask(move_.capability, lambda: self._prove(move_, mapping, sides))
        reserved = await self._ask(move_.capability, lambda: ids.reserve(mapping, sides, Place(move_.owner)))
        counters = f", {len(reserved)} id {'range' if len(reserved) == 1 else 'ranges'} reserved" if reserved else ""
        token = (await self.owners(move_.capability)).token
        return f"fence armed, both streams follow, {proven}{counters}, token {token}"

    @staticmethod
    def _prove(move_: Move, mapping: CapabilityMapping, sides: Sides) -> str:
        """Over the real rows: what the move could not take back, or has no room for where it goes, forbids it."""
        old = Place(move_.old)
        settled = proof.settle(sides, move_.capability, old)
        found = (proof.prove if move_.owner is Side.NEW else proof.at_risk)(mapping, sides, settled)
        rows = sum(one.rows for one in found)
        if wrong := [one for one in found if not one.proven]:
            lost = sum(one.lost + one.unsettled for one in wrong)
            columns = sorted({f"{one.table}.{column}" for one in wrong for column in one.columns})
            raise Refused(
                f"ownership of {move_.capability} can't move to {move_.owner}: {lost:,} of {rows:,} rows would not"
                " survive it",
                [_examples(wrong), *([f"in {', '.join(columns)}"] if columns else [])],
            )
        return f"way back proven on {rows:,} rows" if move_.owner is Side.NEW else f"{rows:,} rows can go back"

    @staticmethod
    def _arm(mapping: CapabilityMapping, sides: Sides) -> None:
        arm.arm(mapping, sides)
        faults = arm.check(mapping, sides)
        if faults:
            raise Refused(f"the fence of {mapping.capability} is not whole", [str(fault) for fault in faults])

    @staticmethod
    def _begin_watching(move_: Move, sides: Sides) -> None:
        direction = _towards(move_.owner)
        with closing(open_session(sides.of(Place(move_.owner)), schema=False)) as session:
            recent.forget_recent(session, move_.capability, direction)
            row.watch(session, move_.capability, Place(move_.owner), True)

    async def _await_way_back(self, move_: Move) -> None:
        """The other stream runs before it is needed, so that nobody has to wait for it."""
        desk = self._desk(move_.capability, _towards(move_.old))
        status = await self._ask(move_.capability, desk.status)
        if status.wanted is not Wanted.RUNNING or status.state is StreamState.STOPPED:
            await self._ask(move_.capability, lambda: desk.want(Wanted.RUNNING))
        end = asyncio.get_running_loop().time() + WAY_BACK_SECONDS
        while True:
            status = await self._ask(move_.capability, desk.status)
            if status.state is StreamState.STREAMING and status.lag_seconds is not None:
                return
            if status.state is StreamState.STOPPED or asyncio.get_running_loop().time() > end:
                why = status.error.message if status.error else f"it is {status.state}"
                raise Refused(
                    f"ownership of {move_.capability} can't move: the stream from {move_.owner} to {move_.old}"
                    f" does not run ({why})",
                    [status.error.way_out] if status.error and status.error.way_out else ["see strangler ps"],
                )
            await asyncio.sleep(0.1)

    async def _reasons(self, move_: Move) -> list[str]:
        """Why the two streams would make the move fail. One that is only behind gets some time: nobody waits yet."""
        end = asyncio.get_running_loop().time() + BEHIND_SECONDS
        while True:
            found, behind = await self._look(move_)
            if not found or not behind or asyncio.get_running_loop().time() > end:
                return found
            await asyncio.sleep(0.1)

    async def _look(self, move_: Move) -> tuple[list[str], bool]:
        """What is wrong with the streams, and whether waiting may help."""
        found, behind = [], True
        for direction, word in ((_towards(move_.owner), "stream"), (_towards(move_.old), "way back")):
            status = await self._ask(move_.capability, self._desk(move_.capability, direction).status)
            found += [f"{word}: {text}" for text in _trouble(status)]
            behind = behind and status.state is StreamState.STREAMING and not status.quarantined
        return found, behind

    # --- while writes wait -------------------------------------------------------------------------------------------

    async def owners(self, capability: str) -> Owners:
        rows = await self._rows(capability)
        legacy, new = rows[Place.LEGACY], rows[Place.NEW]
        if legacy is None or new is None:
            return Owners(str(Side.LEGACY), str(Side.LEGACY), 0)
        return Owners(_said(legacy), _said(new), max(legacy.token, new.token), legacy.token == new.token)

    async def fence(self, move_: Move, journal: str, seconds: float) -> str:
        rows = await self._rows(move_.capability)
        mine = rows[Place(move_.old)]
        assert mine is not None
        token = max(one.token for one in rows.values() if one is not None) + 1

        def fencing(session: Session) -> Position:
            return move.move(
                session,
                self._database(move_.capability, move_.old),
                move_.capability,
                Place(move_.old),
                owner=Place(move_.owner),
                token_from=mine.token,
                token_to=token,
                since=None,
                journal=journal,
                seconds=max(_LEAST_LOCK_WAIT, int(seconds)),
            )

        return str(await self._on(move_.capability, move_.old, fencing))

    async def caught_up(self, move_: Move, fence: str, seconds: float) -> None:
        desk = self._desk(move_.capability, _towards(move_.owner))
        position = Position.parse(fence)
        if not await self._ask(move_.capability, lambda: await_position(desk, position, seconds)):
            status = await self._ask(move_.capability, desk.status)
            lag = "not measured" if status.lag_seconds is None else duration(status.lag_seconds)
            raise Failed(
                f"{move_.owner} has not applied the fence within {seconds * 1000:.0f} ms: lag {lag}",
                [f"strangler sync status {move_.capability}"],
            )

    async def delta(self, move_: Move, seconds: float) -> str:
        mapping, sides = self._of(move_.capability)
        owner = Place(move_.owner)

        def compare() -> tuple[list[WayBack], list[str]]:
            return delta.delta(mapping, sides, owner), ids.short(mapping, sides, owner)

        found, short = await self._ask(move_.capability, compare)
        if wrong := [one for one in found if not one.proven]:
            raise Failed(
                f"{sum(one.lost for one in wrong):,} recently changed rows differ: {_examples(wrong)}",
                [f"strangler verify {move_.capability} --repair"],
            )
        if short:
            raise Failed("ids would be given out twice", short)
        return f"{sum(one.rows for one in found):,} recently changed rows equal"

    async def give_back(self, move_: Move, journal: str) -> None:
        await self._settle_rows(move_, journal, owner=move_.old)

    async def hand_over(self, move_: Move, journal: str) -> None:
        """Only what the owner's binlog has from here on is its own; nobody has written there since the fence."""
        rows = await self._rows(move_.capability)
        old = rows[Place(move_.old)]
        assert old is not None
        if old.since is not None:
            return
        since = await self._on(move_.capability, move_.owner, read_position)
        await self._on(
            move_.capability,
            move_.old,
            lambda session: move.admit(session, move_.capability, Place(move_.old), old.token, since),
        )

    async def take_over(self, move_: Move, journal: str) -> str:
        rows = await self._rows(move_.capability)
        old, mine = rows[Place(move_.old)], rows[Place(move_.owner)]
        assert old is not None and mine is not None
        database = self._database(move_.capability, move_.owner)
        if mine.owner is Place(move_.owner):
            return str(await self._on(move_.capability, move_.owner, read_position))

        def taking(session: Session) -> Position:
            return move.move(
                session,
                database,
                move_.capability,
                Place(move_.owner),
                owner=Place(move_.owner),
                token_from=mine.token,
                token_to=old.token,
                since="",
                journal=journal,
                seconds=_LEAST_LOCK_WAIT,
            )

        return str(await self._on(move_.capability, move_.owner, taking))

    async def carried(self, move_: Move, marker: str, seconds: float) -> None:
        desk = self._desk(move_.capability, _towards(move_.old))
        position = Position.parse(marker)
        if not await self._ask(move_.capability, lambda: await_position(desk, position, seconds)):
            raise Failed(f"the stream to {move_.old} has not carried a marker within {seconds * 1000:.0f} ms")

    async def settle(self, move_: Move) -> None:
        _, sides = self._of(move_.capability)

        def forget() -> None:
            with closing(open_session(sides.of(Place(move_.owner)), schema=False)) as session:
                row.watch(session, move_.capability, Place(move_.owner), False)
                recent.forget_recent(session, move_.capability, _towards(move_.owner))

        await self._ask(move_.capability, forget)

    async def disarm(self, capability: str) -> None:
        """Triggers and rows of both sides away, and the stream to legacy with them. Raises Failed while new owns."""
        _, sides = self._of(capability)
        await self._ask(capability, lambda: arm.disarm(capability, sides))
        desk = self._desk(capability, Direction.TO_LEGACY)
        if (await self._ask(capability, desk.status)).wanted is not Wanted.ABSENT:
            await self._ask(capability, lambda: desk.want(Wanted.ABSENT))

    # --- how ---------------------------------------------------------------------------------------------------------

    async def _settle_rows(self, move_: Move, journal: str, *, owner: Side) -> None:
        """Both rows say ``owner``, with the same greater token; the old side's first: that is where writers come."""
        rows = await self._rows(move_.capability)
        token = max(one.token for one in rows.values() if one is not None) + 1
        for side in (move_.old, move_.owner):
            mine = rows[Place(side)]
            assert mine is not None
            database = self._database(move_.capability, side)

            def moving(
                session: Session, side: Side = side, mine: Ownership = mine, database: Database = database
            ) -> None:
                move.move(
                    session,
                    database,
                    move_.capability,
                    Place(side),
                    owner=Place(owner),
                    token_from=mine.token,
                    token_to=token,
                    since="" if side is owner else mine.since,
                    journal=journal,
                    seconds=_LEAST_LOCK_WAIT,
                )

            await self._on(move_.capability, side, moving)

    async def _rows(self, capability: str) -> dict[Place, Ownership | None]:
        _, sides = self._of(capability)

        def read() -> dict[Place, Ownership | None]:
            found = {}
            for place in Place:
                with self._sessions.on(sides.of(place)) as session:
                    found[place] = row.read(session, capability, place)
            return found

        return await self._ask(capability, read)

    def _of(self, capability: str) -> tuple[CapabilityMapping, Sides]:
        resolved = self._resolved()
        return resolved.mapping(capability), Sides(resolved.legacy_database, resolved.capability_database(capability))

    def _database(self, capability: str, side: Side) -> Database:
        return self._of(capability)[1].of(Place(side))

    def _desk(self, capability: str, direction: Direction) -> StreamDesk:
        return StreamDesk(self._of(capability)[1].of(source_side(direction).other), capability, direction)

    async def _on(self, capability: str, side: Side, work: Callable[[Session], T]) -> T:
        def call() -> T:
            with self._sessions.on(self._database(capability, side)) as session:
                return work(session)

        return await self._ask(capability, call)

    async def _ask(self, capability: str, call: Callable[[], T]) -> T:
        """In a thread that is waited for whatever happens: what it does to a database must be known."""
        with _words(capability):
            work = asyncio.ensure_future(asyncio.to_thread(call))
            try:
                return await asyncio.shield(work)
            except asyncio.CancelledError:
                await asyncio.gather(work, return_exceptions=True)
                raise


@contextmanager
def _words(capability: str) -> Iterator[None]:
    try:
        yield
    except (OwnershipError, VerifyError) as error:
        raise Failed(str(error)) from error
    except NotRunning as error:
        raise Failed(str(error)) from error
    except (pymysql.err.MySQLError, OSError) as error:
        said = error.args[-1] if error.args else error
        raise Failed(
            f"a database of {capability} does not answer as it should ({said})", ["see strangler ps"]
        ) from error


def _examples(wrong: list[WayBack]) -> str:
    """``orders legacy_id 7; orders legacy_id 9, ...``"""
    keys = [f"{one.table} {', '.join(f'{k} {v}' for k, v in key.items())}" for one in wrong for key in one.examples]
    return "; ".join(keys[:5]) + (", ..." if len(keys) > 5 else "")


def _towards(side: Side) -> Direction:
    """The stream that writes this side."""
    return Direction.TO_NEW if side is Side.NEW else Direction.TO_LEGACY


def _said(one: Ownership) -> str:
    """A row that names the other side, but admits nothing of its yet, gives nobody the right to write."""
    return NOBODY if one.owner != one.side and one.since is None else str(one.owner)


def _trouble(status: StreamStatus) -> list[str]:
    found = []
    if status.state is not StreamState.STREAMING:
        found.append(f"it is {status.state}, not streaming")
    elif status.lag_seconds is None or status.lag_seconds > MOST_LAG_SECONDS:
        lag = "not measured yet" if status.lag_seconds is None else duration(status.lag_seconds)
        found.append(f"lag {lag}; a hold can't wait longer than {duration(MOST_LAG_SECONDS)} for it")
    if status.quarantined:
        found.append(in_quarantine(status.quarantined, status.quarantine.first))
    return found
