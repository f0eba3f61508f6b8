"""Finding the keys that don't look equal, where ranges of one side say nothing about the other.

A key that is an expression (a UUID made of an id), or text that the two sides sort differently: each side is read in
its own order, rows are counted and summed up by a hash of their key, and only rows of buckets that differ are fetched.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial

from cdc.ranges import KeyRange
from cdc.verify.chunks import Looking, Pair
from cdc.verify.narrow import suspects
from cdc.verify.side import NOTHING, Checksum, Digest, Key, Side

# Grouping in the server pays when a chunk has many rows per bucket.
_CHUNKS_AT_ONCE = 5
_ROWS_PER_BUCKET = 2000
_MOST_BUCKETS = 16_384
# Rows fetched at once while narrowing, so that memory stays bounded whatever differs.
_ROWS_IN_MEMORY = 200_000


def suspects_by_bucket(pair: Pair, looking: Looking) -> Iterator[list[Key]]:
    """Keys that are missing, extra or different at first sight, in lists. Can't begin in the middle."""
    rows = max(pair.both(lambda side: side.count()))
    buckets = max(1, min(_MOST_BUCKETS, rows // _ROWS_PER_BUCKET))
    # Called from both sides' threads; only the legacy side's rows are counted.
    counting = {id(pair.legacy): looking.compared, id(pair.new): _ignored}
    legacy, new = pair.both(lambda side: _all_buckets(side, looking, buckets, counting[id(side)]))
    wanted = [b for b in range(buckets) if looking.rowwise or legacy.get(b, NOTHING) != new.get(b, NOTHING)]
    for group in _groups(wanted, legacy, new):
        yield suspects(*pair.both(partial(_digests, looking=looking, buckets=(buckets, group))))


def _all_buckets(side: Side, looking: Looking, buckets: int, compared: Callable[[int], None]) -> dict[int, Checksum]:
    sums: dict[int, Checksum] = {}
    for keys in _walk(side, looking):
        part = side.bucket_checksums(keys, buckets)
        for bucket, found in part.items():
            sums[bucket] = sums.get(bucket, NOTHING) ^ found
        compared(sum(found.rows for found in part.values()))
    return sums


def _digests(side: Side, *, looking: Looking, buckets: tuple[int, Sequence[int]]) -> dict[Key, Digest]:
    found: dict[Key, Digest] = {}
    for keys in _walk(side, looking):
        part = side.digests(keys, buckets)
        side.refuse_twice(found.keys() & part.keys())
        found |= part
    return found


def _walk(side: Side, looking: Looking) -> Iterator[KeyRange]:
    after, rows = None, looking.chunk_rows * _CHUNKS_AT_ONCE
    while (bound := side.bound(after, rows)) is not None:
        for _ in range(_CHUNKS_AT_ONCE):
            looking.pace(side)
        yield KeyRange(after, bound)
        after = bound
    looking.pace(side)
    yield KeyRange(after)


def _groups(wanted: Sequence[int], legacy: dict[int, Checksum], new: dict[int, Checksum]) -> Iterator[list[int]]:
    """Buckets whose rows fit into memory together, at least one at a time."""
    group: list[int] = []
    rows = 0
    for bucket in wanted:
        more = legacy.get(bucket, NOTHING).rows + new.get(bucket, NOTHING).rows
        if group and rows + more > _ROWS_IN_MEMORY:
            yield group
            group, rows = [], 0
        group.append(bucket)
        rows += more
    if group:
        yield group


def _ignored(_rows: int) -> None:
    return
