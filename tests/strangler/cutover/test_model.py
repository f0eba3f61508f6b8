"""Every effect of a move, killed or failed before and after it, in both directions, and killed again while it is
repaired: it ends fully moved or fully back, never between, and at no moment do both sides take writes."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine
from sqlalchemy.pool import StaticPool

from proxy.routes import Side
from strangler.control import tables
from strangler.cutover.execute import Cutover
from strangler.cutover.journal import Journal, State
from strangler.cutover.repair import Mender, Repairer
from strangler.cutover.steps import ORDER, Move, other
from strangler.exits import Failed
from tests.strangler.cutover.world import FakeGatekeeper, FakeRows, Faults, Killed, World

# prepare, hold, drain, fence, caught up, delta, | hand over, take over, carried, release
EFFECTS, BEFORE_MARK = 10, 6


@pytest.fixture
def engine() -> Engine:
    engine = create_engine("sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False})
    tables.create(engine)
    return engine


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("strangler.cutover.repair._PAUSE_SECONDS", 0)


def now() -> datetime:
    return datetime(2026, 11, 25, tzinfo=UTC)


def move_in(world: World, engine: Engine) -> tuple[Cutover, list[dict[str, Any]]]:
    move = Move("purchasing", other(world.owner), 2_000, 15_000)
    events: list[dict[str, Any]] = []
    parts = {"gatekeeper": FakeGatekeeper(world), "rows": FakeRows(world), "journal": Journal(engine), "now": now}
    return Cutover("j1", move, events.append, **parts), events


def repair(world: World, engine: Engine) -> None:
    repairer = Repairer(Journal(engine), FakeGatekeeper(world), FakeRows(world), now)

    async def all_of_them() -> None:
        for entry in await repairer.unfinished():
            await repairer.repair(entry)

    asyncio.run(all_of_them())


def ended(world: World, old: Side, *, moved: bool) -> None:
    owner = other(old) if moved else old
    assert world.rows == {side: str(owner) for side in Side}
    assert (world.is_held, world.routes_to) == (False, owner)
    world.check()


@pytest.mark.parametrize("old", list(Side))
def test_a_move_goes_through_its_steps_in_order(old: Side, engine: Engine) -> None:
    world = World(old)
    cutover, events = move_in(world, engine)
    outcome = asyncio.run(cutover.run())
    assert world.faults.seen == EFFECTS
    assert [e["name"] for e in events if e["event"] == "done"] == [cutover.move.name_of(step) for step in ORDER]
    assert [s["name"] for s in outcome.steps] == [cutover.move.name_of(step) for step in ORDER]
    assert (outcome.fence, outcome.held) == ("gtid:1-5", 7)
    ended(world, old, moved=True)
    assert Journal(engine).unfinished() == []


@pytest.mark.parametrize("old", list(Side))
@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("at", range(EFFECTS))
def test_killed_anywhere_the_next_process_ends_it(old: Side, after: bool, at: int, engine: Engine) -> None:
    world = World(old, Faults(at, after))
    cutover, _ = move_in(world, engine)
    with pytest.raises(Killed):
        asyncio.run(cutover.run())
    repair(world.survive(), engine)
    ended(world, old, moved=at >= BEFORE_MARK)
    assert Journal(engine).unfinished() == []


@pytest.mark.parametrize("old", list(Side))
@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("at", range(EFFECTS))
def test_whatever_fails_the_move_ends_by_itself(old: Side, after: bool, at: int, engine: Engine) -> None:
    """Once: what fails again and again is for ``repair``."""
    world = World(old, Faults(at, after, Failed))
    cutover, events = move_in(world, engine)
    if at >= BEFORE_MARK:
        asyncio.run(cutover.run())
    else:
        with pytest.raises(Failed, match="broke"):
            asyncio.run(cutover.run())
        undone = [e for e in events if e["event"] == "undone"]
        assert len(undone) == (1 if at else 0), "what was begun says how it ended; a preflight has begun nothing"
    ended(world, old, moved=at >= BEFORE_MARK)
    assert Journal(engine).unfinished() == []


@pytest.mark.parametrize("old", list(Side))
@pytest.mark.parametrize("at", range(EFFECTS))
def test_killed_while_it_is_repaired_the_one_after_ends_it(old: Side, at: int, engine: Engine) -> None:
    for again in range(4):
        for after in (False, True):
            world = World(old, Faults(at, True))
            tables.cutover.drop(engine)
            tables.create(engine)
            with pytest.raises(Killed):
                asyncio.run(move_in(world, engine)[0].run())
            world.survive().faults = Faults(again, after)
            try:
                repair(world, engine)
            except Killed:
                repair(world.survive(), engine)
            ended(world, old, moved=at >= BEFORE_MARK)


@pytest.mark.parametrize("at", range(1, BEFORE_MARK))
def test_cancelled_before_the_mark_it_puts_all_back(at: int, engine: Engine) -> None:
    world = World(Side.LEGACY, Faults(at, True, asyncio.CancelledError))
    with pytest.raises(asyncio.CancelledError):
        asyncio.run(move_in(world, engine)[0].run())
    ended(world, Side.LEGACY, moved=False)


def test_what_cannot_be_put_back_says_so_and_stays_written_down(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(Side.LEGACY, Faults(4, False, Failed))
    cutover, _ = move_in(world, engine)

    async def broken(*_: object) -> None:
        raise Failed("the legacy database doesn't answer")

    monkeypatch.setattr(FakeRows, "give_back", broken)
    with pytest.raises(Failed, match="putting it back failed: the legacy database doesn't answer") as failed:
        asyncio.run(cutover.run())
    assert "strangler repair" in failed.value.reasons[-1]
    (entry,) = Journal(engine).unfinished()
    assert entry.state is State.BEGUN


def test_a_hold_beyond_its_budget_is_undone_before_the_mark(engine: Engine) -> None:
    world = World(Side.LEGACY)
    cutover, _ = move_in(world, engine)
    cutover.move = replace(cutover.move, budget_ms=0)
    with pytest.raises(Failed, match="the budget is 0 ms"):
        asyncio.run(cutover.run())
    ended(world, Side.LEGACY, moved=False)


def test_mending_twice_does_no_harm(engine: Engine) -> None:
    world = World(Side.LEGACY, Faults(BEFORE_MARK, False))
    cutover, _ = move_in(world, engine)
    with pytest.raises(Killed):
        asyncio.run(cutover.run())
    world.survive()
    for _ in range(2):
        asyncio.run(Mender(FakeGatekeeper(world), FakeRows(world)).mend("j1", cutover.move, marked=True))
        ended(world, Side.LEGACY, moved=True)
