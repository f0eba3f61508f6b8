"""Write requests at the proxies, for a move of ownership: hold, drain, release."""

from __future__ import annotations

from collections.abc import Callable

from proxy.drain import Drain, NotDrained
from proxy.flags import FlagSet
from proxy.hold import hold, release, write_routes
from proxy.routes import Side
from proxy.xds.server import AdsServer
from strangler.control.flagging import Flagging, Flipped
from strangler.cutover.steps import Move
from strangler.exits import Failed


class ProxyGatekeeper:
    """``cutover.ports.Gatekeeper`` over Envoy. ``actor`` and ``reason`` go into the flag store with each version."""

    def __init__(self, flagging: Flagging, ads: AdsServer, actor: str, reason: str) -> None:
        self._flagging, self._ads, self._actor, self._reason = flagging, ads, actor, reason

    async def hold(self, move: Move, epoch: str) -> str:
        def make(flags: FlagSet) -> FlagSet:
            return hold(flags, self._flagging.table, move.capability, epoch=epoch, timeout_ms=move.limit_ms)

        done = await self._flip(make, f"hold writes of {move.capability}", rollback=False)
        routes = len(write_routes(self._flagging.table, move.capability))
        return f"{routes} write {'route' if routes == 1 else 'routes'} held by {_applied(done)}"

    async def drained(self, move: Move, seconds: float) -> None:
        try:
            await Drain(self._ads.admins()).wait(move.capability, move.old, seconds)
        except (NotDrained, ConnectionError) as error:
            raise Failed(str(error)) from error

    async def release(self, move: Move, side: Side) -> str:
        if await self.holding(move.capability) or not self._leads_to(move.capability, side):
            action = f"release writes of {move.capability} to {side}"
            done = await self._flip(
                lambda flags: release(flags, self._flagging.table, move.capability, side), action, rollback=True
            )
            return f"writes go to {side}, {_applied(done)}"
        return f"writes go to {side} already"

    async def holding(self, capability: str) -> bool:
        return self._flagging.flags.held(capability) is not None

    async def waited(self, capability: str) -> int | None:
        known = self._flagging.flags.holds.get(capability)
        if known is None:
            return 0
        try:
            return await Drain(self._ads.admins()).released(capability, known.epoch)
        except ConnectionError:
            return None

    def _leads_to(self, capability: str, side: Side) -> bool:
        flags = self._flagging.flags
        return all(flags.of(route.name).pin is side for route in write_routes(self._flagging.table, capability))

    async def _flip(self, make: Callable[[FlagSet], FlagSet], action: str, *, rollback: bool) -> Flipped:
        return await self._flagging.flip(
            make,
            actor=self._actor,
            reason=self._reason,
            action=action,
            rollback=rollback,
        )


def _applied(done: Flipped) -> str:
    if not done.proxies:
        return "no proxy: whoever connects gets it first"
    applied = sum(proxy.applied == done.version for proxy in done.proxies)
    return f"{applied} of {len(done.proxies)} {'proxy' if len(done.proxies) == 1 else 'proxies'}"
