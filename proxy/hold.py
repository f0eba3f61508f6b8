"""Holding the write requests of one capability while the ownership of its data moves. Pure.

While held, the write routes lead to a cluster that doesn't exist yet; Envoy asks for it on demand and keeps each
request, its body too by back pressure, until the cluster is published. Releasing is publishing it, pointing to the side
that owns the data now. A cluster's name holds the epoch and is never used again: a proxy that missed a release can't
take the next hold's cluster for its own.
"""

from __future__ import annotations

from dataclasses import replace

from proxy.flags import FlagError, FlagSet, Hold
from proxy.routes import Access, Route, RouteTable, Side


def hold(flags: FlagSet, table: RouteTable, capability: str, *, epoch: str, timeout_ms: int) -> FlagSet:
    """The next version, in which the write routes of the capability are held. ``timeout_ms`` bounds the wait of one
    request. Raises FlagError for a capability without write routes, held already, or an epoch that was used before."""
    write_routes(table, capability)
    if flags.held(capability) is not None:
        raise FlagError(f"{capability} is held already")
    if any(epoch == one.epoch for one in flags.holds.values()):
        raise FlagError(f"the epoch {epoch} was used before")
    if timeout_ms <= 0:
        raise FlagError(f"a hold of {timeout_ms} ms is none")
    return replace(flags, version=flags.version + 1, holds={**flags.holds, capability: Hold(epoch, timeout_ms)})


def release(flags: FlagSet, table: RouteTable, capability: str, side: Side) -> FlagSet:
    """The next version, in which what waits goes to ``side``, and so do all later writes of the capability, whatever
    cohort or override they carry: that side owns the data. Does not need a hold: then only the routes change."""
    changed = dict(flags.flags)
    for route in write_routes(table, capability):
        percent = 100 if side is Side.NEW else 0
        # Legacy must not answer what fails on new: it may not write any more.
        changed[route.name] = replace(flags.of(route.name), percent=percent, pin=side, fallback=False)
    holds = dict(flags.holds)
    if capability in holds:
        holds[capability] = replace(holds[capability], released_to=side)
    return replace(flags, version=flags.version + 1, flags=changed, holds=holds)


def write_routes(table: RouteTable, capability: str) -> tuple[Route, ...]:
    """Raises FlagError when there are none."""
    found = tuple(route for route in table.of(capability) if route.access is Access.WRITE)
    if not found:
        raise FlagError(f"{capability} has no write route to hold")
    return found
