"""Routes: which request belongs to which capability, and what makes a table of them unfit to be sent."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

RESERVED = "/__strangler/"  # answered by the proxy itself
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
SAFE = frozenset({"GET", "HEAD"})

_PARAMETER = re.compile(r"\{[A-Za-z_][A-Za-z0-9_]*\}")
_LITERAL = re.compile(r"[A-Za-z0-9._~!$&'()*+,;=:@-]+")


class Side(StrEnum):
    """Who answers, or who owns."""

    LEGACY = "legacy"
    NEW = "new"


class Access(StrEnum):
    """What a route does to data."""

    READ = "read"
    WRITE = "write"


@dataclass(frozen=True)
class Upstream:
    """A side's address for a capability. ``addresses`` are (host, port) pairs with literal IP addresses.

    ``timeout_ms`` bounds one request. ``idle_timeout_ms``: a connection unused for so long isn't used again; keep it
    below the application server's own keep-alive (gunicorn: 2 s), or a request meets a connection just being closed.
    """

    name: str
    addresses: tuple[tuple[str, int], ...]
    timeout_ms: int = 15_000
    idle_timeout_ms: int = 1_000


@dataclass(frozen=True)
class Route:
    """A method and a path template (``/api/items/{id}``; one braced name matches one path segment).

    A ``GET`` route answers ``HEAD`` too, unless the table has a route for that.
    """

    capability: str
    method: str
    path: str
    access: Access
    idempotent: bool = False  # a write that may be sent twice; only then may it fall back

    @cached_property
    def name(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def may_fall_back(self) -> bool:
        """Whether the same request may be sent a second time, to legacy."""
        return self.method in SAFE or self.idempotent

    @cached_property
    def shape(self) -> tuple[str | None, ...]:
        """The path's segments, ``None`` for a parameter. One method and one shape: the same requests match."""
        return tuple(None if _PARAMETER.fullmatch(part) else part for part in self.path.split("/")[1:])

    @property
    def depth(self) -> int:
        """How many segments the paths have that match; none of them is empty."""
        return 0 if self.path == "/" else len(self.shape)


@dataclass(frozen=True)
class RouteTable:
    """All routes of all capabilities; whatever none of them matches goes to ``legacy``."""

    legacy: Upstream
    new: dict[str, Upstream]  # by capability
    routes: tuple[Route, ...]

    def of(self, capability: str) -> tuple[Route, ...]:
        return tuple(route for route in self.routes if route.capability == capability)

    def upstream(self, capability: str, side: Side) -> Upstream:
        return self.legacy if side is Side.LEGACY else self.new[capability]

    @cached_property
    def writing(self) -> tuple[str, ...]:
        """Capabilities that have write routes."""
        found = {route.capability for route in self.routes if route.access is Access.WRITE}
        return tuple(name for name in self.new if name in found)


class RouteTableError(ValueError):
    """A table that must not be sent; ``problems`` names the routes."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


def check(table: RouteTable) -> list[str]:
    """What is wrong with the table, one sentence each naming the routes; empty when nothing is."""
    problems = _upstream_problems("legacy", table.legacy)
    for capability, upstream in table.new.items():
        problems += _upstream_problems(capability, upstream)
        if capability == "legacy":
            problems.append("a capability can't be called 'legacy': that is the name of a side")
    sound = []
    for route in table.routes:
        found = _route_problems(route, table)
        problems += found
        if not found:
            sound.append(route)
    return problems + _overlaps(sound)


def by_precedence(routes: tuple[Route, ...]) -> list[Route]:
    """Routes in the order in which they must be tried: where two match one request, the one with the literal first."""
    return sorted(routes, key=lambda route: tuple((part is None, part or "") for part in route.shape))


def _upstream_problems(owner: str, upstream: Upstream) -> list[str]:
    problems = []
    if not upstream.addresses:
        problems.append(f"{owner}: upstream '{upstream.name}' has no address, its requests would have nowhere to go")
    for host, port in upstream.addresses:
        if not 0 < port < 65536:
            problems.append(f"{owner}: upstream '{upstream.name}' has port {port}: 1 to 65535 are possible")
        if not host:
            problems.append(f"{owner}: upstream '{upstream.name}' has an empty host")
    if upstream.timeout_ms <= 0:
        problems.append(
            f"{owner}: upstream '{upstream.name}' has timeout_ms {upstream.timeout_ms}, not a positive time"
        )
    return problems


def _route_problems(route: Route, table: RouteTable) -> list[str]:
    problems = []
    where = f"{route.name} ({route.capability})"
    if route.capability not in table.new:
        known = ", ".join(sorted(table.new)) or "none"
        problems.append(f"{where}: no upstream for the new side of '{route.capability}' (there are: {known})")
    if route.method not in METHODS:
        problems.append(f"{where}: method '{route.method}' is unknown; it is one of {', '.join(METHODS)}")
    if not route.path.startswith("/"):
        return [*problems, f"{where}: a path begins with '/'"]
    if route.path.startswith(RESERVED):
        problems.append(f"{where}: paths under {RESERVED} are answered by the proxy itself")
    parts = route.path.split("/")[1:]
    for part in parts if route.path != "/" else ():
        if not part:
            problems.append(f"{where}: empty segment; name the path without a doubled or trailing '/'")
        elif not (_PARAMETER.fullmatch(part) or _LITERAL.fullmatch(part)):
            problems.append(f"{where}: segment '{part}' is neither plain text nor one braced name such as {{id}}")
    names = [part for part in parts if _PARAMETER.fullmatch(part)]
    for name in sorted({name for name in names if names.count(name) > 1}):
        problems.append(f"{where}: {name} occurs twice")
    if route.access is Access.WRITE and route.method in SAFE and not route.idempotent:
        problems.append(
            f"{where}: a {route.method} that writes would be sent again by a fallback: declare it idempotent or a read"
        )
    return problems


def _overlaps(routes: list[Route]) -> list[str]:
    """Two routes that match one request, neither of them more exact than the other."""
    problems = []
    groups: dict[tuple[str, int], list[Route]] = {}
    for route in routes:
        groups.setdefault((route.method, len(route.shape)), []).append(route)
    for group in groups.values():
        for first, second in _pairs_that_meet(group):
            both = f"{first.name} ({first.capability}) and {second.name} ({second.capability})"
            if first.shape == second.shape:
                problems.append(f"{both} match the same requests: keep one")
            else:
                met = "/" + "/".join(a or b or "x" for a, b in zip(first.shape, second.shape, strict=True))
                problems.append(f"{both} are ambiguous: {met} matches both, and neither is more exact")
    return problems


def _pairs_that_meet(group: list[Route]) -> list[tuple[Route, Route]]:
    """Pairs of one method and length that match a common request without one being a special case of the other."""
    pairs = []
    literal: dict[tuple[str | None, ...], Route] = {}
    open_ones: list[Route] = []
    for route in group:
        # Routes without a parameter are looked up: a thousand of them must not be compared with each other.
        if None not in route.shape:
            if route.shape in literal:
                pairs.append((literal[route.shape], route))
            literal[route.shape] = route
            continue
        pairs += [(other, route) for other in open_ones if _meet(other.shape, route.shape)]
        open_ones.append(route)
    return pairs


def _meet(one: tuple[str | None, ...], other: tuple[str | None, ...]) -> bool:
    if any(a is not None and b is not None and a != b for a, b in zip(one, other, strict=True)):
        return False
    if one == other:
        return True
    one_wider = any(a is None and b is not None for a, b in zip(one, other, strict=True))
    other_wider = any(b is None and a is not None for a, b in zip(one, other, strict=True))
    return one_wider and other_wider
