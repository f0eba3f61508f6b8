"""Two databases, a stream each way and a proxy, as far as a move can tell: for faults that no real server can be made
to have at a chosen moment. What each write and each crash does to it is checked after every effect."""

from __future__ import annotations

from dataclasses import dataclass, field

from proxy.routes import Side
from strangler.cutover.decide import NOBODY
from strangler.cutover.ports import Owners
from strangler.cutover.steps import Move, other
from strangler.exits import Failed


class Killed(BaseException):
    """The process is gone: nothing of it runs any more, not even what undoes."""


@dataclass
class Faults:
    """What happens at which effect, counted from 0. ``after``: the effect has taken place when it strikes."""

    at: int = -1
    after: bool = False
    kind: type[BaseException] = Killed
    seen: int = 0
    names: list[str] = field(default_factory=list)


@dataclass
class World:
    """``rows``: what each side's ownership row says. ``written``: counters of writes by side; every side's ``applied``
    is how many of the other's it has."""

    owner: Side
    faults: Faults = field(default_factory=Faults)
    rows: dict[Side, str] = field(default_factory=dict)
    token: int = 1
    is_held: bool = False
    routes_to: Side = Side.LEGACY
    dead: bool = False

    def __post_init__(self) -> None:
        self.rows = {side: str(self.owner) for side in Side}
        self.routes_to = self.owner

    def accepts(self, side: Side) -> bool:
        return self.rows[side] == side

    def check(self) -> None:
        """What must be true at every moment."""
        assert not (self.accepts(Side.LEGACY) and self.accepts(Side.NEW)), "both sides take writes"
        if not self.is_held and not self.dead:
            assert self.accepts(self.routes_to), f"writes go to {self.routes_to}, which refuses them"

    def effect(self, name: str) -> _Effect:
        return _Effect(self, name)

    def survive(self) -> World:
        """What the next process finds: all but the process."""
        self.dead = False
        self.faults = Faults()
        return self


@dataclass
class _Effect:
    world: World
    name: str

    def __enter__(self) -> None:
        if self.world.dead:
            raise Killed
        self._strike(after=False)

    def __exit__(self, *_: object) -> None:
        self.world.check()
        self._strike(after=True)
        self.world.faults.seen += 1

    def _strike(self, *, after: bool) -> None:
        faults = self.world.faults
        if not after:
            faults.names.append(self.name)
        if faults.seen == faults.at and faults.after is after:
            faults.at = -1
            if faults.kind is Killed:
                self.world.dead = True
                raise Killed
            raise Failed(f"{self.name} broke") if faults.kind is Failed else faults.kind()


class FakeGatekeeper:
    def __init__(self, world: World) -> None:
        self._world = world

    async def hold(self, move: Move, epoch: str) -> str:
        with self._world.effect("hold"):
            self._world.is_held = True
        return "held"

    async def drained(self, move: Move, seconds: float) -> None:
        with self._world.effect("drain"):
            assert self._world.is_held

    async def release(self, move: Move, side: Side) -> str:
        with self._world.effect(f"release to {side}"):
            self._world.is_held, self._world.routes_to = False, side
        return "released"

    async def holding(self, capability: str) -> bool:
        return self._world.is_held

    async def waited(self, capability: str) -> int | None:
        return 7


class FakeRows:
    def __init__(self, world: World) -> None:
        self._world = world

    async def prepare(self, move: Move) -> str:
        with self._world.effect("prepare"):
            return "prepared"

    async def owners(self, capability: str) -> Owners:
        if self._world.dead:
            raise Killed
        rows = self._world.rows
        return Owners(rows[Side.LEGACY], rows[Side.NEW], self._world.token)

    async def fence(self, move: Move, journal: str, seconds: float) -> str:
        with self._world.effect("fence"):
            assert self._world.is_held
            self._world.rows[move.old] = NOBODY
            self._world.token += 1
        return "gtid:1-5"

    async def caught_up(self, move: Move, fence: str, seconds: float) -> None:
        with self._world.effect("caught up"):
            assert fence == "gtid:1-5"

    async def delta(self, move: Move, seconds: float) -> str:
        with self._world.effect("delta"):
            return "7 rows equal"

    async def give_back(self, move: Move, journal: str) -> None:
        with self._world.effect("give back"):
            self._world.rows[move.old] = str(move.old)
            self._world.token += 1

    async def hand_over(self, move: Move, journal: str) -> None:
        with self._world.effect("hand over"):
            self._world.rows[move.old] = str(move.owner)

    async def take_over(self, move: Move, journal: str) -> str:
        with self._world.effect("take over"):
            assert self._world.rows[other(move.owner)] == move.owner, "handed over first"
            self._world.rows[move.owner] = str(move.owner)
        return "gtid:1-6"

    async def carried(self, move: Move, marker: str, seconds: float) -> None:
        with self._world.effect("carried"):
            pass

    async def settle(self, move: Move) -> None:
        if self._world.dead:
            raise Killed
