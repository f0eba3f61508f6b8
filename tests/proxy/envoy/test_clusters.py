from __future__ import annotations

from envoy.config.cluster.v3 import cluster_pb2

from proxy.envoy.clusters import clusters
from proxy.routes import RouteTable, Upstream


def test_a_capability_has_its_new_side_alone_and_with_legacy_behind_it() -> None:
    up = Upstream("up", (("127.0.0.1", 80), ("127.0.0.2", 80)))
    found = {one.name: one for one in clusters(RouteTable(up, {"catalog": up}, ()))}
    assert list(found) == ["legacy", "legacy:behind-new", "new:catalog", "new:catalog:legacy"]
    endpoints = found["new:catalog"].load_assignment.endpoints[0].lb_endpoints
    assert [one.endpoint.address.socket_address.address for one in endpoints] == ["127.0.0.1", "127.0.0.2"]
    assert {one.metadata.filter_metadata["strangler"]["side"] for one in endpoints} == {"new"}
    assert found["legacy"].type == cluster_pb2.Cluster.STATIC


def test_only_new_with_legacy_behind_it_sends_again_and_says_so() -> None:
    up = Upstream("up", (("127.0.0.1", 80),))
    found = clusters(RouteTable(up, {"catalog": up}, ()))
    assert {one.name for one in found if one.circuit_breakers.thresholds[0].max_retries.value} == {"new:catalog:legacy"}
    marked = {
        one.name
        for one in found
        for group in one.load_assignment.endpoints
        for endpoint in group.lb_endpoints
        if "fallback" in endpoint.metadata.filter_metadata["strangler"]
    }
    assert marked == {"legacy:behind-new"}


def test_names_are_looked_up() -> None:
    up = Upstream("up", (("shop.internal", 80),))
    assert clusters(RouteTable(up, {}, ()))[0].type == cluster_pb2.Cluster.STRICT_DNS
