"""Names that more than one resource refers to."""

from __future__ import annotations

TYPE = "type.googleapis.com/"
CLUSTER = TYPE + "envoy.config.cluster.v3.Cluster"
LISTENER = TYPE + "envoy.config.listener.v3.Listener"
ROUTES = TYPE + "envoy.config.route.v3.RouteConfiguration"

LISTENER_NAME = "ingress"
ON_DEMAND_FILTER = "envoy.filters.http.on_demand"
ROUTE_CONFIG_NAME = "strangler"
VERSION_PATH = "/__strangler/version"

METADATA = "strangler"  # namespace of the metadata on upstream hosts
SIDE_KEY = "side"
FALLBACK_KEY = "fallback"

LEGACY_CLUSTER = "legacy"
BEHIND_NEW_CLUSTER = "legacy:behind-new"  # legacy where it answers what failed on new

# What a request is taken for; set by the proxy alone (invariant 6), chooses the virtual host.
LANE_HEADER = "x-strangler-lane"
EVERYBODY = "everybody"
OVERRIDE_HEADER = "x-strangler-override"
COHORT_HEADER = "x-strangler-cohort"
REQUEST_ID = "x-request-id"

SIDE_HEADER = "x-strangler-side"
ROUTE_HEADER = "x-strangler-route"
VERSION_HEADER = "x-strangler-version"
FALLBACK_HEADER = "x-strangler-fallback"  # 1 on what legacy answered because new failed; absent otherwise
UNCLAIMED = "*"  # the route's name for what no capability claims


def new_cluster(capability: str) -> str:
    """The new side of a capability alone."""
    return f"new:{capability}"


def fallback_cluster(capability: str) -> str:
    """The new side with legacy behind it."""
    return f"new:{capability}:legacy"


def writes_cluster(capability: str, side: str) -> str:
    """A side as the writes of one capability reach it: apart from all else, so that they can be counted."""
    return f"writes:{capability}:{side}"


def hold_cluster(capability: str, epoch: str) -> str:
    """Where held requests are going; there is no such cluster until they are released."""
    return f"hold:{capability}@{epoch}"


def writes_stats(capability: str, side: str) -> str:
    """The name of ``writes_cluster`` in statistics, where it may have no colon."""
    return f"strangler_writes.{capability}.{side}"


def hold_stats(capability: str, epoch: str) -> str:
    return f"strangler_hold.{capability}.{epoch}"
