from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from proxy.envoy.groups import LIMIT, Groups, group
from proxy.routes import Access, Route, by_precedence

SEGMENTS = st.sampled_from(["a", "ab", "b", "abc", "{x}", "{y}", "items", "item"])
PATHS = st.lists(SEGMENTS, min_size=0, max_size=4).map(lambda parts: "/" + "/".join(parts))


def route(path: str, method: str = "GET") -> Route:
    return Route("catalog", method, path, Access.READ)


def first(routes: tuple[Route, ...] | list[Route], path: str) -> Route | None:
    for one in routes:
        pattern = "/" + "/".join("[^/]+" if part is None else re.escape(part) for part in one.shape)
        if re.fullmatch(pattern, path):
            return one
    return None


def look_up(groups: Groups, path: str) -> Route | None:
    """As Envoy does."""
    fitting = [beginning for beginning in groups.by_beginning if path.startswith(beginning)]
    return first(groups.by_beginning[max(fitting, key=len)] if fitting else groups.rest, path)


@given(st.lists(PATHS, max_size=30, unique=True), PATHS, st.integers(1, 4))
def test_groups_find_what_walking_through_all_finds(paths: list[str], asked: str, limit: int) -> None:
    routes = by_precedence(tuple(route(path) for path in paths))
    for path in [asked.replace("{x}", "zz").replace("{y}", "items"), *paths]:
        assert look_up(group(routes, limit), path) == first(routes, path)


def test_groups_are_small_where_paths_differ() -> None:
    routes = by_precedence(tuple(route(f"/api/c{n % 20}/r{n}" + ("/{id}" if n % 3 else "")) for n in range(1000)))
    groups = group(routes)
    assert max(len(some) for some in groups.by_beginning.values()) <= LIMIT
    assert len(groups.by_beginning) > 20
    assert sum(len(some) for some in groups.by_beginning.values()) + len(groups.rest) == 1000


def test_a_template_is_found_under_every_longer_beginning() -> None:
    routes = by_precedence(tuple(route(path) for path in ("/{any}", "/aa", "/ab", "/b/{id}", "/c")))
    groups = group(routes, limit=2)
    for beginning, some in groups.by_beginning.items():
        assert "/{any}" in [one.path for one in some], beginning
    assert look_up(groups, "/aax") == route("/{any}")
    assert look_up(groups, "/zzz") == route("/{any}")


def test_no_routes_no_groups() -> None:
    assert group([]) == Groups({}, ())
