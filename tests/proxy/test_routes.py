from __future__ import annotations

import pytest

from proxy.routes import Access, Route, RouteTable, Upstream, by_precedence, check

UP = Upstream("up", (("127.0.0.1", 8080),))


def table(*routes: Route, legacy: Upstream = UP, new: dict[str, Upstream] | None = None) -> RouteTable:
    return RouteTable(legacy, {"catalog": UP, "search": UP} if new is None else new, routes)


def get(path: str, capability: str = "catalog", method: str = "GET") -> Route:
    return Route(capability, method, path, Access.READ)


def test_a_sound_table_has_no_problems() -> None:
    assert (
        check(table(get("/api/items"), get("/api/items/{id}"), get("/api/items/new"), get("/"), get("/a.b/c-d_e")))
        == []
    )


@pytest.mark.parametrize(
    ("routes", "said"),
    [
        (
            [get("/x", "catalgo")],
            "GET /x (catalgo): no upstream for the new side of 'catalgo' (there are: catalog, search)",
        ),
        ([get("/x", method="FETCH")], "GET /x".replace("GET", "FETCH") + " (catalog): method 'FETCH' is unknown"),
        ([get("x")], "GET x (catalog): a path begins with '/'"),
        ([get("/x/")], "GET /x/ (catalog): empty segment"),
        ([get("/x//y")], "GET /x//y (catalog): empty segment"),
        ([get("/x/{id")], "GET /x/{id (catalog): segment '{id' is neither plain text nor one braced name"),
        ([get("/x/{id}.json")], "segment '{id}.json' is neither"),
        ([get("/x/a?b")], "segment 'a?b' is neither"),
        ([get("/x/{id}/{id}")], "GET /x/{id}/{id} (catalog): {id} occurs twice"),
        ([get("/__strangler/version")], "paths under /__strangler/ are answered by the proxy itself"),
        ([get("/x"), get("/x", "search")], "GET /x (catalog) and GET /x (search) match the same requests: keep one"),
        (
            [get("/x/{id}"), get("/x/{slug}", "search")],
            "GET /x/{id} (catalog) and GET /x/{slug} (search) match the same requests",
        ),
        (
            [get("/x/{id}/b"), get("/x/a/{tab}", "search")],
            "are ambiguous: /x/a/b matches both, and neither is more exact",
        ),
        ([Route("catalog", "GET", "/x", Access.WRITE)], "GET /x (catalog): a GET that writes would be sent again"),
    ],
)
def test_a_bad_table_is_refused_by_the_name_of_its_routes(routes: list[Route], said: str) -> None:
    problems = check(table(*routes))
    assert len(problems) == 1
    assert said in problems[0]


@pytest.mark.parametrize(
    ("upstream", "said"),
    [
        (Upstream("up", ()), "upstream 'up' has no address"),
        (Upstream("up", (("127.0.0.1", 0),)), "upstream 'up' has port 0"),
        (Upstream("up", (("", 80),)), "upstream 'up' has an empty host"),
        (Upstream("up", (("127.0.0.1", 80),), timeout_ms=0), "upstream 'up' has timeout_ms 0"),
    ],
)
def test_an_upstream_that_leads_nowhere_is_refused(upstream: Upstream, said: str) -> None:
    assert [said in problem for problem in check(table(legacy=upstream))] == [True]
    assert [said in problem for problem in check(table(new={"catalog": upstream}))] == [True]


def test_different_methods_and_lengths_do_not_meet() -> None:
    assert check(table(get("/x/{id}"), get("/x/{id}", method="POST"), get("/x/{id}/y"), get("/{a}/{b}/{c}/{d}"))) == []


def test_every_problem_is_told_at_once() -> None:
    assert len(check(table(get("/x/"), get("/y", "other"), legacy=Upstream("up", ())))) == 3


def test_more_exact_routes_are_tried_first() -> None:
    routes = (get("/{any}"), get("/api/{id}/x"), get("/api/new/{tab}"), get("/api/new/x"))
    ordered = [route.path for route in by_precedence(routes)]
    assert ordered.index("/api/new/x") < ordered.index("/api/new/{tab}")
    assert ordered.index("/api/new/x") < ordered.index("/api/{id}/x")


def test_a_thousand_routes_are_checked_at_once() -> None:
    many = tuple(get(f"/api/c{n % 50}/r{n}/{{id}}" if n % 2 else f"/api/c{n % 50}/r{n}") for n in range(1000))
    assert check(table(*many)) == []


def test_only_safe_and_idempotent_routes_may_fall_back() -> None:
    assert get("/x").may_fall_back
    assert not Route("catalog", "POST", "/x", Access.READ).may_fall_back
    assert Route("catalog", "PUT", "/x", Access.WRITE, idempotent=True).may_fall_back
