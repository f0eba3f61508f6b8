"""All resources of one version."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from proxy.flags import FlagSet
from proxy.routes import RouteTable
from proxy.settings import ProxySettings


@dataclass(frozen=True)
class Snapshot:
    """One version as Envoy gets it: serialised ``google.protobuf.Any`` by resource type URL."""

    version: int
    resources: Mapping[str, tuple[bytes, ...]]


def build(table: RouteTable, flags: FlagSet, settings: ProxySettings) -> Snapshot:
    """Pure: the resources for these flags. Check the table first (``proxy.routes.check``)."""
    raise NotImplementedError
