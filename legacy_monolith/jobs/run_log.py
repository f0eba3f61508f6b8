"""Noting in ``job_runs`` what a batch job did."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from legacy_monolith.clock import shop_now
from legacy_monolith.models import JobRun


def note_run(session: Session, name: str, started_at: datetime, rows_changed: int) -> None:
    """Runs that changed nothing are not noted."""
    if rows_changed:
        session.add(JobRun(name=name, started_at=started_at, finished_at=shop_now(), rows_changed=rows_changed))
