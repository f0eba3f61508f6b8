"""The steps of a move, in order, and how long each may take."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from proxy.routes import Side


class Step(StrEnum):
    """In order. What stands before JOURNAL is undone by any failure, what stands after it is completed after any."""

    PREFLIGHT = "preflight"  # armed, nothing missing, ids reserved, both streams running; nobody waits yet
    HOLD = "hold"  # write requests wait at every proxy
    DRAIN = "drain"  # the last one on the old side has been answered
    FENCE = "fence"  # the old side's database refuses every write; the fence is taken
    CAUGHT_UP = "caught up"  # the stream has applied the fence
    DELTA_CHECK = "delta check"  # what changed lately is equal on both sides
    JOURNAL = "journal"  # from here on it only goes forward
    OWNERSHIP = "ownership"  # the new owner's database takes writes, the old side's stream may write there
    WAY_BACK = "way back"  # the other stream has carried a marker from the new owner to the old side
    RELEASE = "release"  # held requests go to the new owner


ORDER: tuple[Step, ...] = tuple(Step)

# How much of the hold budget each step may take: the waits for others (requests, streams) get most of it. Their sum
# is smaller than the whole (invariant 15), so that undoing fits in too. The fence's is a second of the smallest budget
# that the configuration takes: servers know no shorter wait for a lock.
_SHARES: Mapping[Step, float] = {
    Step.HOLD: 0.06,
    Step.DRAIN: 0.18,
    Step.FENCE: 0.26,
    Step.CAUGHT_UP: 0.18,
    Step.DELTA_CHECK: 0.10,
    Step.JOURNAL: 0.02,
    Step.OWNERSHIP: 0.04,
    Step.WAY_BACK: 0.11,
    Step.RELEASE: 0.03,
}


def other(side: Side) -> Side:
    return Side.LEGACY if side is Side.NEW else Side.NEW


@dataclass(frozen=True)
class Move:
    """One move. ``budget_ms`` bounds how long a request may be held while all goes well; ``limit_ms`` how long the
    proxy lets it wait when not, so that a killed process can come back and finish."""

    capability: str
    owner: Side  # who will own
    budget_ms: int
    limit_ms: int

    @property
    def old(self) -> Side:
        return other(self.owner)

    def limit_of(self, step: Step) -> float:
        """Seconds. PREFLIGHT holds nobody up and has none."""
        return self.budget_ms * _SHARES[step] / 1000

    def name_of(self, step: Step) -> str:
        """What people see: ``ownership, legacy`` for the fence on the old side."""
        if step is Step.FENCE:
            return f"ownership, {self.old}"
        return f"ownership, {self.owner}" if step is Step.OWNERSHIP else str(step)


def check(move: Move) -> list[str]:
    """What is wrong with a move's limits; nothing when they fit."""
    found = []
    total = sum(_SHARES.values())
    if total >= 1:
        found.append(f"the steps' limits add up to {total:.0%} of the hold budget")
    if move.limit_ms < move.budget_ms:
        found.append(
            f"hold_limit_ms ({move.limit_ms}) is smaller than hold_budget_ms ({move.budget_ms}): requests would be"
            " answered 503 before a move that goes well has ended"
        )
    return found
