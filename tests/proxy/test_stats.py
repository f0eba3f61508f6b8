from __future__ import annotations

import asyncio
import http.client
from typing import Any

import pytest

from proxy.routes import Side
from proxy.stats import RouteStats, parse, read
from tests.proxy.rig import Client, Envoy, Plane, free_port, until


def histogram(name: str, *buckets: tuple[int, int, int]) -> dict[str, Any]:
    totals = [{"lower_bound": low, "width": width, "count": count} for low, width, count in buckets]
    return {"name": f"strangler.time.of.{name}", "totals": totals}


def test_parse_sums_statuses_and_counts_fallbacks_as_failures_of_new() -> None:
    times = [
        histogram("GET /a.b/{id}|legacy|200|1", (1000, 100, 5)),
        histogram("GET /a.b/{id}|legacy|503|1", (90, 10, 1)),
        histogram("GET /a.b/{id}|legacy|200|2", (2000, 100, 2)),
        histogram("GET /a.b/{id}|new|200|1", (400, 10, 98), (9000, 100, 2)),
        histogram("/__strangler/version||200|0", (10, 1, 9)),
        {"name": "http.ingress.rds.strangler.update_duration", "totals": []},
    ]
    counters = [
        {"name": "strangler.abandoned.of.GET /a.b/{id}|new|0|1", "value": 3},
        {"name": "http.ingress.rds.strangler.version_text", "value": "x"},
        {"histograms": {}},
    ]
    assert parse({"stats": counters}, {"stats": [{"histograms": {"details": times}}]}) == [
        RouteStats("GET /a.b/{id}", Side.LEGACY, 8, 1, 1.05, 2.05),
        RouteStats("GET /a.b/{id}", Side.NEW, 102, 2, 0.405, 9.05, fallbacks=2, abandoned=3),
    ]


@pytest.mark.real
def test_requests_errors_and_times_per_route_and_side(plane: Plane, envoy: Envoy, client: Client) -> None:
    def figures() -> dict[tuple[str, Side | None], RouteStats]:
        return {(one.route, one.side): one for one in asyncio.run(read(f"http://127.0.0.1:{envoy.admin}"))}

    version = plane.set("promotions", percent=100, fallback=False).version
    until(lambda: envoy.version() == version, "the worker has it")
    before = figures()
    route = "GET /api/promotions/{code}"
    was = before.get((route, Side.NEW), RouteStats(route, Side.NEW, 0, 0, None, None))
    for path in ("/api/promotions/a", "/api/promotions/b", "/api/promotions/fail"):
        client(path)
    now = figures()[route, Side.NEW]
    assert (now.requests - was.requests, now.errors - was.errors) == (3, 1)
    assert now.p50_ms is not None
    assert now.p99_ms is not None
    assert 0 < now.p50_ms <= now.p99_ms


@pytest.mark.real
def test_who_left_before_the_answer_is_counted_apart(plane: Plane, envoy: Envoy) -> None:
    def abandoned() -> int:
        return sum(one.abandoned for one in asyncio.run(read(f"http://127.0.0.1:{envoy.admin}")))

    version = plane.set("catalog", percent=100, fallback=False).version
    until(lambda: envoy.version() == version, "the worker has it")
    before = abandoned()
    connection = http.client.HTTPConnection("127.0.0.1", envoy.listen, timeout=0.2)
    connection.request("GET", "/api/items/hang")
    with pytest.raises(TimeoutError):
        connection.getresponse()
    connection.close()
    until(lambda: abandoned() == before + 1, "it is counted")


def test_no_admin_endpoint_is_a_connection_error() -> None:
    with pytest.raises(ConnectionError, match="admin endpoint"):
        asyncio.run(read(f"http://127.0.0.1:{free_port()}"))
