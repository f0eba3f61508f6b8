"""The steps of a move, as values. Pure: what would be done, decided without doing it.

``execute`` does them, ``dry_run`` says them; neither the steps nor this file know of the other.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from proxy.routes import Access, Side
from strangler.config.model import Capability
from strangler.exits import Refused, Usage
from strangler.phases import STREAMING, Phase, after, before, default_back, refusal


@dataclass(frozen=True)
class StartStream:
    """The change stream is wanted: it copies what was there and then follows."""


@dataclass(frozen=True)
class AwaitSync:
    """Wait through the copy until the stream follows with a lag below the limit."""

    max_lag_seconds: float
    timeout_seconds: float


@dataclass(frozen=True)
class CompareRows:
    """Compare every row once and keep the result as evidence; a difference stops the move."""


@dataclass(frozen=True)
class SendTraffic:
    """``percent`` of users' reads go to new, and pins are taken away."""

    percent: float


@dataclass(frozen=True)
class TakeBack:
    """All traffic to legacy, whatever users carry (``percent`` None), or back to a smaller percent."""

    percent: float | None


@dataclass(frozen=True)
class MoveWrites:
    """The ownership of the capability's tables goes to ``owner``, and with it its write routes."""

    owner: Side


@dataclass(frozen=True)
class StopStream:
    """The stream's position is forgotten; rows on new stay, and age."""


@dataclass(frozen=True)
class EnterPhase:
    phase: Phase


Step: TypeAlias = StartStream | AwaitSync | CompareRows | SendTraffic | TakeBack | MoveWrites | StopStream | EnterPhase

NAMES: dict[type[Step], str] = {
    StartStream: "start stream",
    AwaitSync: "copy, follow",
    CompareRows: "compare rows",
    SendTraffic: "send traffic",
    TakeBack: "take traffic back",
    MoveWrites: "move writes",
    StopStream: "stop stream",
    EnterPhase: "phase",
}


@dataclass(frozen=True)
class Plan:
    """A move of one capability. ``origin`` and ``target`` may be equal: a rollback that only tidies up."""

    capability: str
    origin: Phase
    target: Phase
    steps: tuple[Step, ...]

    @property
    def moves_writes(self) -> bool:
        return any(isinstance(step, MoveWrites) for step in self.steps)


def advance(name: str, capability: Capability, current: Phase, target: Phase | None, percent: float | None) -> Plan:
    """The steps on to ``target`` (the next phase when None). Raises Refused or Usage."""
    wanted = target if target is not None else after(current)
    if wanted is None:
        raise Refused(
            f"{name} is in {current}: this is as far as capabilities go yet",
            reasons=["retiring the legacy side (phase retired) is not built yet"],
        )
    if problem := refusal(current, wanted):
        raise Refused(f"{name} may not go from {current} to {wanted}", reasons=[problem])
    if wanted is Phase.WRITES:
        _has_writes(name, capability)
    if percent is not None and wanted is not Phase.CANARY:
        raise Usage(f"--percent belongs to entering canary, not {wanted}")
    return Plan(name, current, wanted, _on(capability, wanted, percent))


def _on(capability: Capability, wanted: Phase, percent: float | None) -> tuple[Step, ...]:
    if wanted is Phase.SYNCED:
        if not capability.tables:
            return (EnterPhase(wanted),)
        limit = capability.synced
        wait = AwaitSync(limit.max_lag_seconds, limit.timeout_minutes * 60)
        return (StartStream(), wait, CompareRows(), EnterPhase(wanted))
    if wanted is Phase.WRITES:
        return (MoveWrites(Side.NEW), EnterPhase(wanted))
    share = 100.0 if wanted is Phase.READS else percent if percent is not None else capability.canary.percent
    return (SendTraffic(share), EnterPhase(wanted))


def rollback(name: str, capability: Capability, current: Phase, target: Phase | None) -> Plan:
    """The steps back; needs no evidence. From ``legacy`` it still takes traffic back and stops a stream.

    Raises Usage.
    """
    goal = target if target is not None else default_back(current) or Phase.LEGACY
    if goal != current and goal not in before(current):
        allowed = ", ".join(before(current)) or "nothing: it is in legacy"
        raise Usage(f"{name} is in {current}; a rollback from there goes to {allowed}, not to {goal}")
    if goal == current and goal is not Phase.LEGACY:
        raise Usage(f"{name} is in {current} already")
    steps: list[Step] = []
    if current is Phase.WRITES:  # reads stay with the owner until legacy is it
        steps.append(MoveWrites(Side.LEGACY))
    if goal is not Phase.READS:
        steps.append(TakeBack(capability.canary.percent if goal is Phase.CANARY else None))
    steps.append(EnterPhase(goal))
    if capability.tables and goal not in STREAMING:
        steps.append(StopStream())
    return Plan(name, current, goal, tuple(steps))


def _has_writes(name: str, capability: Capability) -> None:
    """Raises Refused where there is nothing whose ownership could move."""
    reasons = []
    if not any(route.build(name).access is Access.WRITE for route in capability.routes):
        reasons.append(
            "it has no write route: whoever writes its tables now would be refused, and nobody could instead"
        )
    if not any(not (table.reference or table.append) for table in capability.tables.values()):
        reasons.append("no table of it is owned (all are reference or append): there is nothing to move")
    if reasons:
        raise Refused(f"{name} may not go to {Phase.WRITES}", reasons=reasons)
