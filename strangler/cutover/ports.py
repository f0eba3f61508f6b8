"""What a move asks of the world: the proxies (``Gatekeeper``) and the two databases with their streams (``Rows``)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from proxy.routes import Side
from strangler.cutover.steps import Move


class Gatekeeper(Protocol):
    """Write requests at the proxies."""

    async def hold(self, move: Move, epoch: str) -> str:
        """All proxies hold. Words for people. Raises StranglerError when one refuses or is silent."""

    async def drained(self, move: Move, seconds: float) -> None:
        """Nothing is under way on the old side. Raises Failed."""

    async def release(self, move: Move, side: Side) -> str:
        """What waits, and all that comes, goes to ``side``. Repeatable. Stored even if a proxy is silent."""

    async def holding(self, capability: str) -> bool:
        """Whether a hold is on."""

    async def waited(self, capability: str) -> int | None:
        """How many requests went through the last hold; None when no proxy could be asked."""


@dataclass(frozen=True)
class Owners:
    """What the two ownership rows say, and their fencing tokens: the greater one, and whether they are the same."""

    legacy_row: str
    new_row: str
    token: int
    even: bool = True

    def row(self, side: Side) -> str:
        return self.legacy_row if side is Side.LEGACY else self.new_row


class Rows(Protocol):
    """Ownership in the two databases, and the streams between them. Every method may be repeated."""

    async def prepare(self, move: Move) -> str:
        """Armed and checked, ids reserved, both streams following, touched keys recorded. Words for people.
        Raises Refused with every reason why the move can't be begun, Failed."""

    async def owners(self, capability: str) -> Owners:
        """Raises Failed when a database can't be asked."""

    async def fence(self, move: Move, journal: str, seconds: float) -> str:
        """The old side's row: nobody owns. The position after it. Raises Failed: then it is as before, or as after."""

    async def caught_up(self, move: Move, fence: str, seconds: float) -> None:
        """The stream has applied the fence. Raises Failed."""

    async def delta(self, move: Move, seconds: float) -> str:
        """What changed lately is equal on both sides. Words for people. Raises Failed naming what differs."""

    async def give_back(self, move: Move, journal: str) -> None:
        """The old side's row: the old side owns again. The token grows."""

    async def hand_over(self, move: Move, journal: str) -> None:
        """The old side's row: the new owner owns; its changes from here on are applied on the old side."""

    async def take_over(self, move: Move, journal: str) -> str:
        """The new owner's row: it owns. The position of a marker after it."""

    async def carried(self, move: Move, marker: str, seconds: float) -> None:
        """The other stream has brought the marker to the old side. Raises Failed."""

    async def settle(self, move: Move) -> None:
        """Touched keys are no longer recorded."""
