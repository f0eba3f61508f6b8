"""Routes by the beginning of their path, so that a request is held against a handful of them and not against all.

Envoy looks the path up in a trie of beginnings and takes the longest that fits; what stands there must be all that can
match. A request whose path has none of the beginnings is held against the rest.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from os.path import commonprefix

from proxy.routes import Route

# Routes in a group. More cost every request: with 24 (and 50 routes) a tenth of its processor time. Fewer cost more to
# deliver: to apply a list Envoy takes longer than for the entries in it.
LIMIT = 6


@dataclass(frozen=True)
class Groups:
    """Routes in the order they were given. One that can match under several beginnings is in each of them."""

    by_beginning: Mapping[str, tuple[Route, ...]]
    rest: tuple[Route, ...]


def group(routes: Sequence[Route], limit: int = LIMIT) -> Groups:
    """Groups of at most ``limit`` routes, more only where routes begin alike to the end of their literal text."""
    order = {route.name: number for number, route in enumerate(routes)}
    found: dict[str, list[Route]] = {}
    rest: list[Route] = []
    if routes:
        _split(list(routes), [], found, rest, limit)

    def sorted_(some: list[Route]) -> tuple[Route, ...]:
        return tuple(sorted(some, key=lambda route: order[route.name]))

    return Groups({beginning: sorted_(some) for beginning, some in found.items()}, sorted_(rest))


def literal(route: Route) -> str:
    """The path up to its first parameter."""
    return route.path.partition("{")[0]


def _split(
    routes: list[Route], inherited: list[Route], found: dict[str, list[Route]], rest: list[Route], limit: int
) -> None:
    """``inherited`` are templates that can match whatever their beginning goes on with."""
    beginning = commonprefix([literal(route) for route in routes])  # noqa: RUF071 - by character
    ends = [route for route in routes if literal(route) == beginning]
    if len(routes) <= limit or len(ends) == len(routes):
        found[beginning] = routes + inherited
        return
    # A path that ends here finds no longer beginning: it is looked for in the rest.
    open_ends = [route for route in ends if None in route.shape]
    rest.extend(ends)
    inherited = inherited + open_ends
    deeper: dict[str, list[Route]] = {}
    for route in routes:
        if route not in ends:
            deeper.setdefault(literal(route)[len(beginning)], []).append(route)
    for some in deeper.values():
        _split(some, inherited, found, rest, limit)
