"""A flip from end to end: check, build, commit, publish; and back to the last good version when a proxy refuses."""

from __future__ import annotations

from proxy.flags import FlagSet
from proxy.routes import RouteTable
from proxy.settings import ProxySettings
from proxy.store import FlagStore
from proxy.xds.server import AdsServer, Applied


class Flipper:
    """The one writer of the flag store and of the proxies. One flip at a time (it has its own lock)."""

    def __init__(self, store: FlagStore, ads: AdsServer, table: RouteTable, settings: ProxySettings) -> None:
        raise NotImplementedError

    @property
    def flags(self) -> FlagSet:
        """The current version, from memory."""
        raise NotImplementedError

    async def start(self) -> Applied:
        """Publish what the store says is current (after a restart). Raises RouteTableError for a bad table."""
        raise NotImplementedError

    async def flip(self, flags: FlagSet, *, actor: str, reason: str, action: str, rollback: bool = False) -> Applied:
        """Make ``flags`` (from proxy.flags.edit or rollback, of version current + 1) the current version.

        Returns when every connected proxy has acknowledged. Raises store.Conflict if somebody was faster, FlagError or
        RouteTableError before anything is sent, xds.server.Refused when a proxy refused it (the store marks the
        version refused, the last good one is published again). ``rollback``: a proxy that doesn't answer in time
        doesn't undo it for the others.
        """
        raise NotImplementedError
