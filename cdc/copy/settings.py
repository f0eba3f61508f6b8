"""How hard a copy may work."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class CopySettings:
    """``sessions`` read and write chunks at the same time. New chunks wait while the stream is more than
    ``max_lag_seconds`` behind, or the source runs more than ``max_threads_running`` statements of others at once."""

    sessions: int = 4
    chunk_rows: int = 20_000
    max_lag_seconds: float = 5.0
    max_threads_running: int = 25
