"""Comparing all tables of one capability."""

from __future__ import annotations

from collections.abc import Callable, Collection

from cdc.database import Database
from cdc.mapping import CapabilityMapping
from cdc.verify.result import Progress, VerifyResult
from cdc.verify.settle import Settle


def verify_capability(
    mapping: CapabilityMapping,
    source: Database,
    target: Database,
    tables: Collection[str] | None = None,
    *,
    settle: Settle | None = None,
    settle_timeout_seconds: float = 30.0,
    progress: Callable[[Progress], None] | None = None,
    repair: bool = False,
    listed_at_most: int = 1000,
    chunk_rows: int = 20_000,
) -> VerifyResult:
    """Compare every row of the mapped tables by key, the mapping's expressions on ``source`` against the columns on
    ``target``; blocks (run it in a thread).

    ``tables`` are names of the new side's tables (all of the mapping when None). Without ``settle`` (no stream is
    running) differences are re-read once but not waited for, and the result says so (``waited`` False). ``progress``
    is called about twice a second from the calling thread. ``repair`` writes the owner's value for the listed keys.
    Raises VerifyError: unknown table, connection, a key expression that several rows share; NotSettled when the stream
    stands still.
    """
    raise NotImplementedError
