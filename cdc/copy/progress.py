"""Which chunks of a table are done, and so which are left. Pure.

Chunks are numbered in the order of their keys, and are written in any order. A run that was killed leaves out those
that its sessions had under way, so at most a few in a row: what lies between two chunks that are done becomes one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from cdc.ranges import Bound, KeyRange

STEP = 2  # so that there is a number between any two
FIRST_ROWS = 1_000
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
    """Keys that are not done. ``number`` is that of its first chunk; only the last gap, which has no end, has more."""

    keys: KeyRange
    number: int

    @property
    def last(self) -> bool:
        return self.keys.through is None

    def cut(self, end: Bound) -> Gap:
        """What is left beyond ``end``."""
        return Gap(KeyRange(end, self.keys.through), self.number + STEP)


def gaps(done: Iterable[Chunk]) -> list[Gap]:
    """What is left of a table, in the order of its keys. Nothing done: one gap, the whole table."""
    found: list[Gap] = []
    reached: Bound | None = None
    number = 0
    for chunk in sorted(done, key=lambda chunk: chunk.number):
        if chunk.keys.after != reached:
            found.append(Gap(KeyRange(reached, chunk.keys.after), number + 1))
        reached, number = chunk.keys.through, chunk.number
        if reached is None:
            return found
    return [*found, Gap(KeyRange(reached), number + STEP)]


def first_rows(row_bytes: int, most_rows: int) -> int:
    """How many rows the first chunk should have, by the server's estimate of a row's size; 0: it does not know."""
    return max(1, min(most_rows, CHUNK_BYTES // row_bytes if row_bytes else FIRST_ROWS))


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
