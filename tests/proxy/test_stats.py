from __future__ import annotations

import asyncio

import pytest

from proxy.routes import Side
from proxy.stats import RouteStats, parse, read
from tests.proxy.rig import Client, Envoy, Plane, free_port, until


def test_parse_sums_codes_and_counts_fallbacks_as_failures_of_new() -> None:
    stats = {
        "stats": [
            {"name": "strangler.requests.route.GET /a.b/{id}.side.legacy.code.200.tries.1", "value": 5},
            {"name": "strangler.requests.route.GET /a.b/{id}.side.legacy.code.503.tries.1", "value": 1},
            {"name": "strangler.requests.route.GET /a.b/{id}.side.legacy.code.200.tries.2", "value": 2},
            {"name": "strangler.requests.route.GET /a.b/{id}.side.new.code.200.tries.1", "value": 7},
            {"name": "strangler.requests.route./__strangler/version.side..code.200.tries.0", "value": 9},
            {"name": "http.ingress.rds.strangler.version_text", "value": "x"},
            {
                "histograms": {
                    "supported_quantiles": [50, 99],
                    "computed_quantiles": [
                        {
                            "name": "strangler.time.route.GET /a.b/{id}.side.new",
                            "values": [{"cumulative": 1500, "interval": None}, {"cumulative": 9000, "interval": None}],
                        }
                    ],
                }
            },
        ]
    }
    assert parse(stats) == [
        RouteStats("GET /a.b/{id}", Side.LEGACY, 8, 1, None, None),
        RouteStats("GET /a.b/{id}", Side.NEW, 9, 2, 1.5, 9.0, fallbacks=2),
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


def test_no_admin_endpoint_is_a_connection_error() -> None:
    with pytest.raises(ConnectionError, match="admin endpoint"):
        asyncio.run(read(f"http://127.0.0.1:{free_port()}"))
