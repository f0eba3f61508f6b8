"""The file Envoy is started with; everything else arrives over ADS."""

from __future__ import annotations

from pathlib import Path

Address = tuple[str, int]


def write(
    path: Path,
    *,
    node_id: str,
    listen: Address,
    admin: Address,
    xds: Address,
    standby: Address | None = None,
) -> None:
    """Write a bootstrap (JSON). Start Envoy with ``envoy -c PATH --concurrency N``.

    ``listen`` is where clients come in; it travels in the node's metadata, and the control plane gives the listener back.
    ``xds`` is the control plane, ``standby`` serves the last applied version while it is down.
    """
    raise NotImplementedError


def envoy_path() -> str:
    """Envoy's binary in the wheel."""
    raise NotImplementedError
