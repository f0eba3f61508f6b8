"""The ADS server: gives every Envoy the current snapshot and knows who has applied or refused it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from proxy.envoy.snapshot import Snapshot


@dataclass(frozen=True)
class Proxy:
    """One connected Envoy: the version it has applied, and its last refusal (``None`` if it never refused)."""

    id: str
    applied: int | None
    last_nack: str | None


@dataclass(frozen=True)
class Applied:
    """A version that every connected proxy has acknowledged, and how long that took."""

    version: int
    ms: float
    proxies: tuple[Proxy, ...]


class Refused(Exception):
    """Not applied: ``reasons`` by proxy id. ``timed_out``: no answer rather than a NACK."""

    def __init__(self, version: int, reasons: dict[str, str], *, timed_out: bool = False) -> None:
        super().__init__(f"version {version} was refused: " + "; ".join(f"{k}: {v}" for k, v in reasons.items()))
        self.version = version
        self.reasons = reasons
        self.timed_out = timed_out


class AdsServer:
    """State-of-the-world ADS over gRPC, loopback. Lives in the caller's event loop."""

    def __init__(self, host: str, port: int, *, snapshot_file: Path | None = None, ack_timeout_s: float = 5.0) -> None:
        """``snapshot_file`` keeps the last applied snapshot for the standby and for the next start."""
        raise NotImplementedError

    async def start(self) -> int:
        """Listen; the port (of use when 0 was asked for). Raises OSError naming a port that is taken."""
        raise NotImplementedError

    async def stop(self) -> None:
        """Close all streams. Envoys go on with what they have applied, or go to the standby."""
        raise NotImplementedError

    def proxies(self) -> tuple[Proxy, ...]:
        """Connected ones, by id."""
        raise NotImplementedError

    async def publish(self, snapshot: Snapshot) -> Applied:
        """Send to every connected proxy and wait for all to acknowledge. With none connected it returns at once with
        no proxies; who connects later gets it. Raises Refused; the caller then publishes the last good one again."""
        raise NotImplementedError
