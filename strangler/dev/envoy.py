"""Envoy as a process of the environment."""

from __future__ import annotations

import os
from pathlib import Path

from proxy.envoy.bootstrap import FASTER, envoy_path

WORKERS_AT_MOST = 4


def command(bootstrap: Path) -> tuple[str, ...]:
    """What starts it in the foreground with that bootstrap file."""
    workers = min(os.cpu_count() or 1, WORKERS_AT_MOST)
    # Hot restart would share memory by a number that is the same for every Envoy on the machine.
    return (
        envoy_path(),
        "--config-path",
        str(bootstrap),
        "--concurrency",
        str(workers),
        "--disable-hot-restart",
        *FASTER,
        "--log-level",
        "warning",
    )
