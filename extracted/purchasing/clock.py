"""Times: UTC in the tables, the shop's old fixed local time in the API."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

SHOP_OFFSET = timedelta(hours=-8)


def utc_now() -> datetime:
    """Now as the tables hold it: naive UTC, whole seconds."""
    return datetime.now(UTC).replace(tzinfo=None, microsecond=0)


def shop_time(moment: datetime | None) -> str | None:
    """A stored time as ``2026-11-23T12:04:31-08:00``; None stays None."""
    return None if moment is None else (moment + SHOP_OFFSET).isoformat(timespec="seconds") + "-08:00"
