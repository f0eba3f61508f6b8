"""Flags: what the proxy does with each route now, and the pure changes people make to them.

Precedence, first that applies wins:

1. ``pin`` (a rollback is a pin to legacy): everybody goes to that side, whatever they carry;
2. a signed override (``x-strangler-override``, or the claim of a signed cookie): that side;
3. membership of one of the flag's ``cohorts``, signed: new;
4. ``percent``: the user's bucket, the same on every route of the capability, decides.

For write routes only 1 and 4 count: a write goes where the data has its owner, whoever sends it. And while a capability
is *held* (``Hold``), its write routes go nowhere yet.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from math import isfinite

from proxy.routes import Access, Route, RouteTable, Side


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


_UNTOUCHED = Flag()


@dataclass(frozen=True)
class Hold:
    """Write requests of a capability wait at the proxy until they are released to a side; see ``proxy.hold``.

    ``epoch`` is never used twice, not even by another capability. ``timeout_ms``: how long the proxy lets a request
    wait before it answers 503 itself.
    """

    epoch: str
    timeout_ms: int
    released_to: Side | None = None


@dataclass(frozen=True)
class FlagSet:
    """One version of all flags, by route name (``GET /api/items/{id}``). Routes without an entry have ``Flag()``.

    ``holds``: by capability, the last hold there was; one that was released is kept for the requests that wait for it.
    """

    version: int
    flags: Mapping[str, Flag] = field(default_factory=dict)
    holds: Mapping[str, Hold] = field(default_factory=dict)

    def of(self, route: str) -> Flag:
        return self.flags.get(route, _UNTOUCHED)

    def held(self, capability: str) -> Hold | None:
        """The hold that is on, if one is."""
        hold = self.holds.get(capability)
        return hold if hold is not None and hold.released_to is None else None

    def next(self, flags: Mapping[str, Flag]) -> FlagSet:
        """The next version, with these flags."""
        return FlagSet(self.version + 1, flags, self.holds)


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
    percent outside 0..100 or finer than 0.01, an unknown capability, route or cohort, or a fallback asked for a route
    that may not be sent twice.
    """
    routes = _chosen(table, capability, route)
    if reads_only:
        routes = tuple(one for one in routes if one.access is Access.READ)
        if not routes:
            raise FlagError(f"{capability}: {route or 'it'} has no read route to change, and only reads may be changed")
    _check(change, frozenset(known_cohorts))
    if change.fallback:
        unsafe = [one.name for one in routes if not one.may_fall_back]
        if unsafe and route is not None:
            raise FlagError(
                f"{unsafe[0]}: a fallback would send it twice; only GET, HEAD and routes declared idempotent may"
            )
    return _with(flags, routes, lambda flag: _apply(flag, change))


def rollback(flags: FlagSet, table: RouteTable, capability: str) -> FlagSet:
    """Every route of the capability pinned to legacy at 0 %, no cohorts, no shadow: overrides all that users carry."""
    return _with(
        flags,
        _chosen(table, capability, None),
        lambda flag: replace(flag, percent=0, shadow_percent=0, pin=Side.LEGACY, cohorts=frozenset()),
    )


def check_percent(name: str, value: float) -> None:
    """Raise FlagError unless value is a number from 0 to 100 in steps of 0.01."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not isfinite(value):
        raise FlagError(f"{name} {value!r} is not a number")
    if not 0 <= value <= 100:
        raise FlagError(f"{name} {percent_text(value)} is out of range: 0 to 100")
    if abs(value * 100 - round(value * 100)) > 1e-6:
        raise FlagError(f"{name} {value} is too fine: steps of 0.01")


def percent_text(value: float) -> str:
    """``40``, ``0.5``: without trailing zeros."""
    return f"{value:.2f}".rstrip("0").rstrip(".")


def describe(old: FlagSet, new: FlagSet, table: RouteTable) -> list[str]:
    """One sentence per route that would change, as in ``GET /api/items   40 % -> 60 %   users already on new stay``."""
    changes = [(route.name, _sentence(old.of(route.name), new.of(route.name))) for route in table.routes]
    changes = [(name, text) for name, text in changes if text]
    for capability in sorted({*old.holds, *new.holds}):
        before, after = old.holds.get(capability), new.holds.get(capability)
        if after is not None and after != before:
            where = "wait at the proxy" if after.released_to is None else f"are released to {after.released_to}"
            changes.append((capability, f"write requests {where}"))
    width = max((len(name) for name, _ in changes), default=0)
    return [f"{name:<{width}}   {text}" for name, text in changes]


def _sentence(old: Flag, new: Flag) -> str:
    parts = []
    if old.percent != new.percent:
        text = f"{percent_text(old.percent)} % -> {percent_text(new.percent)} %"
        if new.percent > old.percent > 0:
            text += "   users already on new stay there"
        elif 0 < new.percent < old.percent:
            text += "   some users on new go back to legacy"
        parts.append(text)
    if old.pin != new.pin:
        if new.pin is None:
            parts.append(f"no longer pinned to {old.pin}")
        else:
            parts.append(f"pinned to {new.pin}: everybody, whatever cookie, cohort or override they carry")
    for cohort in sorted(new.cohorts - old.cohorts):
        parts.append(f"cohort {cohort} goes to new")
    for cohort in sorted(old.cohorts - new.cohorts):
        parts.append(f"cohort {cohort} counts like everybody")
    if old.shadow_percent != new.shadow_percent:
        parts.append(f"shadow {percent_text(old.shadow_percent)} % -> {percent_text(new.shadow_percent)} %")
    if old.fallback != new.fallback:
        parts.append("legacy answers what fails on new" if new.fallback else "what fails on new fails")
    return "; ".join(parts)


def _chosen(table: RouteTable, capability: str, route: str | None) -> tuple[Route, ...]:
    routes = table.of(capability)
    if capability not in table.new:
        raise FlagError(f"no capability '{capability}'" + _meant(capability, table.new))
    if not routes:
        raise FlagError(f"capability '{capability}' has no routes")
    if route is None:
        return routes
    chosen = tuple(one for one in routes if one.name == route)
    if not chosen:
        raise FlagError(f"{capability} has no route '{route}'" + _meant(route, [one.name for one in routes]))
    return chosen


def _with(flags: FlagSet, routes: Iterable[Route], change: Callable[[Flag], Flag]) -> FlagSet:
    """Routes that share a flag share the changed one: who holds flags against each other then needs no look inside."""
    changed = dict(flags.flags)
    made: dict[int, Flag] = {}
    for one in routes:
        flag = flags.of(one.name)
        if id(flag) not in made:
            made[id(flag)] = change(flag)
        changed[one.name] = made[id(flag)]
    return flags.next(changed)


def _meant(given: str, known: Iterable[str]) -> str:
    close = get_close_matches(given, list(known), n=1)
    return f"; did you mean '{close[0]}'?" if close else f"; there are: {', '.join(sorted(known)) or 'none'}"


def _check(change: Edit, known_cohorts: frozenset[str]) -> None:
    if change.percent is not None:
        check_percent("percent", change.percent)
    if change.shadow_percent is not None:
        check_percent("shadow percent", change.shadow_percent)
    if change.pin is not None and change.unpin:
        raise FlagError("pin and unpin at once: choose one")
    for cohort in sorted(change.add_cohorts - known_cohorts):
        raise FlagError(f"no cohort '{cohort}'" + _meant(cohort, known_cohorts))


def _apply(flag: Flag, change: Edit) -> Flag:
    return Flag(
        percent=flag.percent if change.percent is None else round(change.percent, 2),
        shadow_percent=flag.shadow_percent if change.shadow_percent is None else round(change.shadow_percent, 2),
        pin=None if change.unpin else (change.pin or flag.pin),
        cohorts=(flag.cohorts | change.add_cohorts) - change.remove_cohorts,
        fallback=flag.fallback if change.fallback is None else change.fallback,
    )
