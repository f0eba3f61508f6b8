"""Changing flags: words for what the proxy's own package refuses, and what to do when nobody is there to apply them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from proxy.flags import FlagError, FlagSet, describe
from proxy.publish import Flipper
from proxy.routes import Route, RouteTable
from proxy.settings import ProxySettings
from proxy.store import Conflict
from proxy.xds.server import AdsServer, Proxy, Refused
from strangler.config.problem import nearest
from strangler.control.metric_defs import FLIP_SECONDS, FLIPS
from strangler.exits import Failed, Usage

_TRIES = 5  # flips of different capabilities may meet; each try starts from the newest version


@dataclass(frozen=True)
class Flipped:
    """``applied`` is False when no proxy was connected, or one was silent (only a rollback goes on then)."""

    version: int
    applied: bool
    ms: float
    proxies: tuple[Proxy, ...]
    before: FlagSet
    after: FlagSet

    def to_json(self) -> dict[str, Any]:
        return {
            "version": self.version,
            "applied": self.applied,
            "ms_to_applied": round(self.ms, 2) if self.applied else None,
            "proxies": [vars(p) for p in self.proxies],
        }


class Flagging:
    """The flags of all capabilities. Wraps PROXY's Flipper, the one writer of the flag store."""

    def __init__(self, flipper: Flipper, ads: AdsServer, table: RouteTable, settings: ProxySettings) -> None:
        self._flipper, self._ads = flipper, ads
        self.table, self.settings = table, settings

    @property
    def flags(self) -> FlagSet:
        return self._flipper.flags

    @property
    def proxies(self) -> tuple[Proxy, ...]:
        return self._ads.proxies()

    @property
    def applied(self) -> bool:
        """Whether every connected proxy has the current version, and there is one."""
        proxies = self.proxies
        return bool(proxies) and all(p.applied == self.flags.version for p in proxies)

    def routes(self, capability: str) -> tuple[Route, ...]:
        return tuple(r for r in self.table.routes if r.capability == capability)

    def route(self, capability: str, text: str) -> Route:
        """By name (``GET /api/items``) or by path alone where one method has it. Raises Usage."""
        routes = self.routes(capability)
        found = [r for r in routes if text in (r.name, r.path)]
        if len(found) == 1:
            return found[0]
        if found:
            raise Usage(f"{text} is {' and '.join(r.name for r in found)}: say which, in quotes")
        hint = nearest(text, [r.path if text.startswith("/") else r.name for r in routes])
        raise Usage(f"no route {text!r} in {capability}; {hint}")

    def preview(self, make: Callable[[FlagSet], FlagSet]) -> tuple[FlagSet, list[str]]:
        """What ``flip`` would do: the next version and a sentence per changed route. Raises Usage."""
        try:
            wanted = make(self.flags)
        except FlagError as error:
            raise Usage(str(error)) from error
        return wanted, describe(self.flags, wanted, self.table)

    def said(self, before: FlagSet, after: FlagSet) -> list[str]:
        """A sentence per route that differs."""
        return describe(before, after, self.table)

    async def flip(
        self, make: Callable[[FlagSet], FlagSet], *, actor: str, reason: str, action: str, rollback: bool = False
    ) -> Flipped:
        """Make the next version and wait until every connected proxy has acknowledged it.

        Raises Failed when a proxy refused it (the version before stays) or when no proxy is connected: a version that
        nobody applies is not a change. A rollback is stored even then, so that whoever connects gets it first.
        """
        if not self.proxies and not rollback:
            raise Failed("no proxy is connected, so nobody would apply it: nothing was changed", ["see strangler ps"])
        for attempt in range(_TRIES):
            before = self.flags
            wanted, _ = self.preview(make)
            try:
                done = await self._flipper.flip(wanted, actor=actor, reason=reason, action=action, rollback=rollback)
            except Conflict:
                if attempt == _TRIES - 1:
                    raise
                continue
            except Refused as refused:
                FLIPS.labels("refused").inc()
                if rollback and refused.timed_out:
                    # It holds for all who answered; the silent one gets it as soon as it answers again.
                    return Flipped(refused.version, False, 0.0, self.proxies, before, self.flags)
                raise self._refused(refused) from refused
            FLIPS.labels("applied").inc()
            FLIP_SECONDS.observe(done.ms / 1000)
            applied = bool(done.proxies) and all(p.applied == done.version for p in done.proxies)
            return Flipped(done.version, applied, done.ms, done.proxies, before, self.flags)
        raise AssertionError("unreachable")

    def _refused(self, refused: Refused) -> Failed:
        how = "did not answer in time" if refused.timed_out else "refused it"
        lines = [f"{proxy}: {why}" for proxy, why in refused.reasons.items()]
        message = f"version {refused.version} is not applied, a proxy {how}; version {self.flags.version} stays"
        return Failed(message, lines, version=self.flags.version, applied=False)
