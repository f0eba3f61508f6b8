"""What the batch jobs did."""

from __future__ import annotations

from sqlalchemy import Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from legacy_monolith.models.base import TABLE_OPTIONS, Base, Key, LocalTime


class JobRun(Base):
    """One run that changed something."""

    __tablename__ = "job_runs"
    __table_args__ = (Index("ix_job_runs_name_started_at", "name", "started_at"), TABLE_OPTIONS)

    id: Mapped[Key]
    name: Mapped[str] = mapped_column(String(60))
    started_at: Mapped[LocalTime]
    finished_at: Mapped[LocalTime]
    rows_changed: Mapped[int] = mapped_column(Integer)
