"""Evidence: dated results that gates ask for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any


class Kind(StrEnum):
    VERIFY = "verify"  # every row of a capability compared
    CONTRACT = "contract"  # the contract run on one side or both
    LAG = "lag"  # how old the new side's rows were
    ERRORS = "errors"  # what each side answered, compared
    LOAD = "load"  # a load run


@dataclass(frozen=True)
class Evidence:
    """One result. ``ok``: it speaks for going on. ``summary`` is a line for people, ``data`` the figures behind it."""

    capability: str
    kind: Kind
    at: datetime  # UTC
    ok: bool
    summary: str
    data: Mapping[str, Any] = field(default_factory=dict)

    def age(self, now: datetime) -> timedelta:
        return now - self.at

    def to_json(self) -> dict[str, Any]:
        return {
            "capability": self.capability,
            "kind": str(self.kind),
            "at": self.at.isoformat(),
            "ok": self.ok,
            "summary": self.summary,
            "data": dict(self.data),
        }


@dataclass(frozen=True)
class Traffic:
    """What one side answered. ``errors`` are 5xx answers and requests that got none."""

    requests: int = 0
    errors: int = 0

    @property
    def error_percent(self) -> float:
        return 100 * self.errors / self.requests if self.requests else 0.0

    def __add__(self, other: Traffic) -> Traffic:
        return Traffic(self.requests + other.requests, self.errors + other.errors)

    def since(self, baseline: Traffic) -> Traffic:
        """What came after ``baseline``. A proxy that was restarted counts from zero: then all of it came after."""
        if self.requests < baseline.requests or self.errors < baseline.errors:
            return self
        return Traffic(self.requests - baseline.requests, self.errors - baseline.errors)


def of_verify(
    capability: str, at: datetime, result: Mapping[str, Any], *, began_at: datetime | None = None, of: str = "rows"
) -> Evidence:
    """From ``VerifyResult.to_json()``. Not ``waited`` means rows in flight couldn't be told from differences.
    ``began_at`` is when the first row was compared; ``of`` says in words which rows."""
    rows, equal = result["rows"], result["equal"]
    different = sum(t["missing_total"] + t["extra_total"] + t["differing_total"] for t in result["tables"])
    unsettled = result["unsettled"]
    summary = (
        f"{rows:,} {of} equal"
        if equal
        else f"{different:,} of {rows:,} {of} {'differs' if different == 1 else 'differ'}"
        if different
        else f"{unsettled:,} of {rows:,} {of} kept changing, so they are not known to be equal"
    )
    data = {
        "rows": rows,
        "began_at": None if began_at is None else began_at.isoformat(),
        "different": different,
        "in_flight": result["in_flight"],
        "unsettled": unsettled,
        "tables": _tables(result),
    }
    return Evidence(capability, Kind.VERIFY, at, bool(equal), summary, data)


def _tables(result: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The counts and the first few keys: a store of evidence is no second copy of the data."""
    return [
        {
            "table": t["table"],
            "rows": t["rows"],
            "missing": t["missing"][:3],
            "extra": t["extra"][:3],
            "differing": t["differing"][:3],
            "different": t["missing_total"] + t["extra_total"] + t["differing_total"],
        }
        for t in result["tables"]
    ]
