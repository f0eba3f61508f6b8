"""Which chunks of a table are done, and so which are left. Pure.

Chunks are numbered in the order of their keys, and are written in any order. The numbers leave room, so that what lies
between two chunks that are done can be cut into other chunks later.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from cdc.ranges import Bound, KeyRange

STEP = 1 << 20
FIRST_ROWS = 2_000
MIN_ROWS = 500
CHUNK_BYTES = 8 << 20
CHUNK_SECONDS = 1.0


@dataclass(frozen=True)
class Chunk:
    """Rows of one table with keys in ``keys``. ``number`` orders the table's chunks."""

    table: str
    number: int
    keys: KeyRange


@dataclass(frozen=True)
class Gap:
    """Keys that are not done. Chunks of it are numbered from ``first`` on in steps of ``step``."""

    keys: KeyRange
    first: int
    step: int


def gaps(done: Iterable[Chunk]) -> list[Gap]:
    """What is left of a table, in the order of its keys. Nothing done: one gap, the whole table."""
    found: list[Gap] = []
    reached: Bound | None = None
    number = 0
    for chunk in sorted(done, key=lambda chunk: chunk.number):
        if chunk.keys.after != reached:
            found.append(Gap(KeyRange(reached, chunk.keys.after), number + 1, 1))
        reached, number = chunk.keys.through, chunk.number
        if reached is None:
            return found
    return [*found, Gap(KeyRange(reached), number + STEP, STEP)]


def next_rows(planned: int, rows: int, read_bytes: int, seconds: float, most_rows: int) -> int:
    """How many rows the next chunk should have, after one that was planned with ``planned`` rows, had ``rows``, took so
    many bytes, and so long to write.

    Aims at a few megabytes, which a worker holds in memory, and at less than a second, for which the stream may wait.
    """
    if rows == 0:
        return planned
    wanted = min(most_rows, planned * 2, rows * CHUNK_BYTES // max(1, read_bytes))
    if seconds > CHUNK_SECONDS:
        wanted = min(wanted, max(MIN_ROWS, int(rows * CHUNK_SECONDS / seconds)))
    return max(1, wanted)
