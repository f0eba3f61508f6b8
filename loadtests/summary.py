"""The numbers of a run, from its records."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from loadtests.responses import Record


@dataclass
class Summary:
    """``errors``: responses that no shopper reckons with, and requests without one. Times in milliseconds, by side."""

    requests: int = 0
    errors: int = 0
    by_side: dict[str, int] = field(default_factory=dict)
    errors_by_side: dict[str, int] = field(default_factory=dict)
    by_route: dict[str, dict[str, int]] = field(default_factory=dict)
    p50_ms: dict[str, float] = field(default_factory=dict)
    p99_ms: dict[str, float] = field(default_factory=dict)
    max_ms: dict[str, float] = field(default_factory=dict)
    users: int = 0

    def as_json(self) -> dict[str, Any]:
        return vars(self)


def summarise(records: Iterable[Record]) -> Summary:
    """Reads all records once and keeps their times: some 10 bytes of memory a request."""
    summary = Summary()
    times: dict[str, list[int]] = {}
    users = set()
    for record in records:
        summary.requests += 1
        users.add(record.user)
        times.setdefault(record.side, []).append(record.latency_us)
        routes = summary.by_route.setdefault(record.route, {})
        routes[record.side] = routes.get(record.side, 0) + 1
        if not record.ok:
            summary.errors += 1
            summary.errors_by_side[record.side] = summary.errors_by_side.get(record.side, 0) + 1
    summary.users = len(users)
    for side, measured in sorted(times.items()):
        measured.sort()
        summary.by_side[side] = len(measured)
        summary.p50_ms[side] = _quantile(measured, 0.50)
        summary.p99_ms[side] = _quantile(measured, 0.99)
        summary.max_ms[side] = round(measured[-1] / 1000, 1)
    return summary


def _quantile(ordered_us: list[int], share: float) -> float:
    """The smallest time that at least ``share`` of the requests stayed within, in milliseconds."""
    at = max(0, -(-len(ordered_us) * int(share * 100) // 100) - 1)
    return round(ordered_us[at] / 1000, 1)
