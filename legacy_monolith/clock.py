"""The shop's own time: naive local times in a fixed UTC-8, whatever the season (how the first server was set up)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

SHOP_OFFSET = timedelta(hours=-8)
SHOP_ZONE = timezone(SHOP_OFFSET)

#: The same moment in SQL, for jobs that write straight to the tables.
SQL_NOW = "(UTC_TIMESTAMP() - INTERVAL 8 HOUR)"


def shop_now() -> datetime:
    """Now as the tables hold it: naive, local, whole seconds."""
    return datetime.now(UTC).astimezone(SHOP_ZONE).replace(tzinfo=None, microsecond=0)


def iso(moment: datetime | None) -> str | None:
    """A stored time as the API says it: ``2026-11-23T12:04:31-08:00``."""
    return None if moment is None else moment.replace(tzinfo=SHOP_ZONE, microsecond=0).isoformat()
