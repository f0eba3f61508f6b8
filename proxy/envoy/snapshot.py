"""All resources of one version."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from proxy.envoy import names, wire
from proxy.envoy.clusters import clusters, released
from proxy.envoy.listener import listener
from proxy.envoy.routes import RouteBuilder
from proxy.flags import FlagSet
from proxy.routes import RouteTable
from proxy.settings import ProxySettings

# In the order in which a change must reach Envoy: what is named before what names it.
TYPES = (names.CLUSTER, names.LISTENER, names.ROUTES)


@dataclass(frozen=True)
class Resource:
    """One serialised message."""

    name: str
    value: bytes


@dataclass(frozen=True)
class Snapshot:
    """One version as Envoy gets it: resources by type URL, and per type a revision that changes with its content."""

    version: int
    resources: Mapping[str, tuple[Resource, ...]]
    revisions: Mapping[str, str]


def snapshot(version: int, resources: Mapping[str, tuple[Resource, ...]]) -> Snapshot:
    """A snapshot of these resources. The revision of a type tells its content: a proxy that reports it, has it."""
    return Snapshot(version, resources, {kind: _revision(version, kind, items) for kind, items in resources.items()})


def _revision(version: int, kind: str, items: tuple[Resource, ...]) -> str:
    digest = hashlib.blake2b(digest_size=8)
    for item in items:
        digest.update(wire.field(1, item.name.encode()) + wire.field(2, item.value))
    return f"{version}-{digest.hexdigest()}" if kind == names.ROUTES else digest.hexdigest()


class Builder:
    """Snapshots of one table and settings, version after version: what didn't change isn't made again."""

    def __init__(self, table: RouteTable, settings: ProxySettings) -> None:
        self._table = table
        self._routes = RouteBuilder(table, settings)
        found = tuple(Resource(one.name, one.SerializeToString(deterministic=True)) for one in clusters(table))
        listeners = (Resource(names.LISTENER_NAME, listener(settings).SerializeToString(deterministic=True)),)
        self._frame = snapshot(0, {names.CLUSTER: found, names.LISTENER: listeners})  # no flag changes these

    def build(self, flags: FlagSet) -> Snapshot:
        """The resources for these flags. Check the table first (``proxy.routes.check``)."""
        routes = (Resource(names.ROUTE_CONFIG_NAME, self._routes.configuration(flags)),)
        frame = self._frame
        if waited_for := tuple(
            Resource(one.name, one.SerializeToString(deterministic=True)) for one in released(self._table, flags.holds)
        ):
            found = frame.resources[names.CLUSTER] + waited_for
            frame = snapshot(0, {**frame.resources, names.CLUSTER: found})
        return Snapshot(
            flags.version,
            {**frame.resources, names.ROUTES: routes},
            {**frame.revisions, names.ROUTES: _revision(flags.version, names.ROUTES, routes)},
        )


def build(table: RouteTable, flags: FlagSet, settings: ProxySettings) -> Snapshot:
    """One snapshot. For one after the other, keep a Builder."""
    return Builder(table, settings).build(flags)
