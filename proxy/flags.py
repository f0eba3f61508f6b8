"""Flags: what the proxy does with each route now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from proxy.routes import Side


@dataclass(frozen=True)
class Flag:
    """What the proxy does with one route.

    ``percent`` of users (0 to 100) go to new; members of ``cohorts`` go to new whatever the percent; ``pin`` sends
    everybody to one side and overrides percent, cohorts, cookies and override headers; ``fallback`` lets legacy answer
    a safe request that failed on new; ``shadow_percent`` (0 to 100) of requests are copied to the shadow comparer.
    """

    percent: int = 0
    shadow_percent: int = 0
    pin: Side | None = None
    cohorts: frozenset[str] = frozenset()
    fallback: bool = True


@dataclass(frozen=True)
class FlagSet:
    """One version of all flags, by route name (``GET /api/items/{id}``). Routes without an entry have ``Flag()``."""

    version: int
    flags: Mapping[str, Flag] = field(default_factory=dict)

    def of(self, route: str) -> Flag:
        return self.flags.get(route, Flag())
