"""Flags: what the proxy does with each route now, and the pure changes people make to them.

Precedence, first that applies wins:

1. ``pin`` (a rollback is a pin to legacy): everybody goes to that side, whatever they carry;
2. a signed override (``x-strangler-override``, or the claim of a signed cookie): that side;
3. membership of one of the flag's ``cohorts``, signed: new;
4. ``percent``: the user's bucket, the same on every route of the capability, decides.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from proxy.routes import RouteTable, Side


@dataclass(frozen=True)
class Flag:
    """What the proxy does with one route.

    ``percent`` of users (0 to 100, in steps of 0.01) go to new; members of ``cohorts`` go to new whatever the percent;
    ``pin`` sends everybody to one side and overrides percent, cohorts, cookies and override headers; ``fallback`` lets
    legacy answer a safe request that failed on new; ``shadow_percent`` (0 to 100) of requests are copied to the shadow
    comparer.
    """

    percent: float = 0
    shadow_percent: float = 0
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


class FlagError(ValueError):
    """A change that can't be made; the text says which flag, what was given and what is allowed."""


@dataclass(frozen=True)
class Edit:
    """What a person asks for; ``None`` leaves a thing as it is. ``unpin`` takes a pin away."""

    percent: float | None = None
    shadow_percent: float | None = None
    pin: Side | None = None
    unpin: bool = False
    add_cohorts: frozenset[str] = frozenset()
    remove_cohorts: frozenset[str] = frozenset()
    fallback: bool | None = None


def edit(
    flags: FlagSet,
    table: RouteTable,
    capability: str,
    change: Edit,
    *,
    route: str | None = None,
    reads_only: bool = False,
    known_cohorts: Iterable[str] = (),
) -> FlagSet:
    """The flags with the change made on every route of the capability, or on one (``"GET /api/items"``).

    The result has version ``flags.version + 1``. ``reads_only`` leaves write routes alone. Raises FlagError on a
    percent outside 0..100 or finer than 0.01, an unknown capability, route or cohort, or a write route marked for
    fallback that isn't idempotent.
    """
    raise NotImplementedError


def rollback(flags: FlagSet, table: RouteTable, capability: str) -> FlagSet:
    """Every route of the capability pinned to legacy at 0 %, no cohorts, no shadow: overrides all that users carry."""
    raise NotImplementedError


def describe(old: FlagSet, new: FlagSet, table: RouteTable) -> list[str]:
    """One sentence per route that would change, as in ``GET /api/items   40 % -> 60 %   users already on new stay``."""
    raise NotImplementedError
