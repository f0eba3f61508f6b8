"""Upstreams as Envoy clusters: two for legacy (asked first, and after new), two for each capability's new side (alone,
and with legacy behind it). Only the last may retry: that is what a fallback is. Writes of a capability have clusters of
their own, one a side; and one for each hold that was released.

Endpoints are inline (STATIC): a separate EDS resource would make a changed cluster withhold its ACK.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from ipaddress import ip_address

from envoy.config.cluster.v3 import cluster_pb2
from envoy.config.core.v3 import address_pb2, base_pb2
from envoy.config.endpoint.v3 import endpoint_components_pb2
from envoy.extensions.clusters.aggregate.v3 import cluster_pb2 as aggregate_pb2
from envoy.extensions.upstreams.http.v3 import http_protocol_options_pb2
from google.protobuf.any_pb2 import Any
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message

from proxy.envoy import names
from proxy.flags import Hold
from proxy.routes import RouteTable, Side, Upstream

CONNECT_TIMEOUT_MS = 1_000
UNLIMITED = 1_000_000  # Envoy's default of 1,024 requests at once would refuse what the application itself can queue

_HTTP = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"


def clusters(table: RouteTable) -> tuple[cluster_pb2.Cluster, ...]:
    """Every cluster any flag of this table can name."""
    found = [
        _side(names.LEGACY_CLUSTER, table.legacy, Side.LEGACY),
        _side(names.BEHIND_NEW_CLUSTER, table.legacy, Side.LEGACY, fallback=True),
    ]
    for capability, upstream in table.new.items():
        new = names.new_cluster(capability)
        found.append(_side(new, upstream, Side.NEW))
        found.append(_aggregate(names.fallback_cluster(capability), (new, names.BEHIND_NEW_CLUSTER)))
    for capability in table.writing:
        found += [
            _side(
                names.writes_cluster(capability, side),
                table.upstream(capability, side),
                side,
                stats=names.writes_stats(capability, side),
            )
            for side in Side
        ]
    return tuple(found)


def released(table: RouteTable, holds: Mapping[str, Hold]) -> tuple[cluster_pb2.Cluster, ...]:
    """The clusters that let held requests go."""
    return tuple(
        _side(
            names.hold_cluster(capability, hold.epoch),
            table.upstream(capability, hold.released_to),
            hold.released_to,
            stats=names.hold_stats(capability, hold.epoch),
        )
        for capability, hold in holds.items()
        if hold.released_to is not None and capability in table.new
    )


def milliseconds(value: int) -> Duration:
    """A protobuf duration."""
    return Duration(seconds=value // 1000, nanos=value % 1000 * 1_000_000)


def packed(message: Message) -> Any:
    """A message as ``google.protobuf.Any``, byte for byte the same each time."""
    result = Any()
    result.Pack(message, deterministic=True)
    return result


def socket_address(host: str, port: int) -> address_pb2.Address:
    """An address Envoy listens on or connects to."""
    return address_pb2.Address(socket_address=address_pb2.SocketAddress(address=host, port_value=port))


@lru_cache(maxsize=256)
def _side(name: str, upstream: Upstream, side: Side, *, fallback: bool = False, stats: str = "") -> cluster_pb2.Cluster:
    cluster = cluster_pb2.Cluster(
        name=name,
        alt_stat_name=stats,
        type=cluster_pb2.Cluster.STATIC if _literal(upstream) else cluster_pb2.Cluster.STRICT_DNS,
        connect_timeout=milliseconds(CONNECT_TIMEOUT_MS),
        circuit_breakers={
            "thresholds": [
                {
                    "max_connections": {"value": UNLIMITED},
                    "max_pending_requests": {"value": UNLIMITED},
                    "max_requests": {"value": UNLIMITED},
                    "max_retries": {"value": 0},
                }
            ]
        },
    )
    metadata = base_pb2.Metadata()
    metadata.filter_metadata[names.METADATA].update({names.SIDE_KEY: str(side)})
    if fallback:
        metadata.filter_metadata[names.METADATA].update({names.FALLBACK_KEY: "1"})
    cluster.load_assignment.cluster_name = name
    cluster.load_assignment.endpoints.add().lb_endpoints.extend(
        endpoint_components_pb2.LbEndpoint(
            endpoint=endpoint_components_pb2.Endpoint(address=socket_address(host, port)), metadata=metadata
        )
        for host, port in upstream.addresses
    )
    options = http_protocol_options_pb2.HttpProtocolOptions()
    options.explicit_http_config.http_protocol_options.SetInParent()
    options.common_http_protocol_options.idle_timeout.CopyFrom(milliseconds(upstream.idle_timeout_ms))
    cluster.typed_extension_protocol_options[_HTTP].CopyFrom(packed(options))
    return cluster


@lru_cache(maxsize=256)
def _aggregate(name: str, members: tuple[str, ...]) -> cluster_pb2.Cluster:
    cluster = cluster_pb2.Cluster(
        name=name,
        connect_timeout=milliseconds(CONNECT_TIMEOUT_MS),
        lb_policy=cluster_pb2.Cluster.CLUSTER_PROVIDED,
        cluster_type=cluster_pb2.Cluster.CustomClusterType(
            name="envoy.clusters.aggregate",
            typed_config=packed(aggregate_pb2.ClusterConfig(clusters=members)),
        ),
    )
    cluster.circuit_breakers.thresholds.add().max_retries.value = UNLIMITED
    return cluster


def _literal(upstream: Upstream) -> bool:
    try:
        return all(ip_address(host) for host, _ in upstream.addresses)
    except ValueError:
        return False
