"""Finding the keys that don't look equal, where ranges of keys match on both sides: chunk by chunk, both at once."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from types import TracebackType
from typing import TypeVar

from cdc.ranges import Bound, KeyRange
from cdc.verify.narrow import suspects
from cdc.verify.side import Checksum, Digest, Key, Side

T = TypeVar("T")

# How many chunks may be under way: enough that neither server waits for the other, few enough that both are read at
# about the same time.
_AHEAD = 3
# A chunk of which one side holds this many times more rows than wanted is split before its rows are fetched.
_OVERSIZE = 4


@dataclass
class Pair:
    """The two sides of a table, asked at the same time, each in threads of its own."""

    legacy: Side
    new: Side
    sessions_per_side: int = 1

    def __enter__(self) -> Pair:
        self._legacy = ThreadPoolExecutor(self.sessions_per_side, "verify-legacy")
        self._new = ThreadPoolExecutor(self.sessions_per_side, "verify-new")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for executor in (self._legacy, self._new):
            executor.shutdown(wait=True, cancel_futures=True)

    def ask(self, question: Callable[[Side], T]) -> tuple[Future[T], Future[T]]:
        return self._legacy.submit(question, self.legacy), self._new.submit(question, self.new)

    def both(self, question: Callable[[Side], T]) -> tuple[T, T]:
        legacy, new = self.ask(question)
        return legacy.result(), new.result()


@dataclass(frozen=True)
class Looking:
    """How to look for keys that don't look equal. ``compared`` is told of legacy rows, as they are read; ``rowwise``
    fetches digests instead of checksums. ``pace`` is asked before each chunk of ``chunk_rows``, for the side named.

    Where ranges match on both sides, ``after`` is where to begin, and ``through`` is told how far all chunks have been
    looked at, whose keys were given before.
    """

    chunk_rows: int
    rowwise: bool
    compared: Callable[[int], None]
    pace: Callable[[Side], None] = lambda side: None
    after: Bound | None = None
    through: Callable[[Bound], None] = lambda bound: None


def ranges(legacy: Side, new: Side, rows: int, after: Bound | None = None) -> Iterator[KeyRange]:
    """All keys ``after`` that one, in ranges of about ``rows`` legacy rows; beyond the last legacy key, of new rows.
    Blocks on queries."""
    sides = [legacy, new]
    while sides:
        bound = sides[0].bound(after, rows)
        if bound is None:
            sides.pop(0)
            continue
        yield KeyRange(after, bound)
        after = bound
    yield KeyRange(after)


def suspects_by_range(pair: Pair, looking: Looking) -> Iterator[list[Key]]:
    """Keys that are missing, extra or different at first sight, a list per chunk."""
    waiting: deque[tuple[KeyRange, Callable[[], tuple[int, list[Key]]]]] = deque()

    def finish() -> Iterator[list[Key]]:
        keys, result = waiting.popleft()
        rows, found = result()
        looking.compared(rows)
        yield found
        if keys.through is not None:
            looking.through(keys.through)

    for keys in ranges(pair.legacy, pair.new, looking.chunk_rows, looking.after):
        looking.pace(pair.legacy)
        look = _by_rows(pair, keys) if looking.rowwise else _by_checksum(pair, keys, looking.chunk_rows)
        waiting.append((keys, look))
        if len(waiting) > _AHEAD * pair.sessions_per_side:
            yield from finish()
    while waiting:
        yield from finish()


def _by_checksum(pair: Pair, keys: KeyRange, chunk_rows: int) -> Callable[[], tuple[int, list[Key]]]:
    legacy, new = pair.ask(lambda side: side.checksum(keys))

    def finish() -> tuple[int, list[Key]]:
        sums = legacy.result(), new.result()
        found = [] if sums[0] == sums[1] else list(_narrow(pair, keys, *sums, chunk_rows))
        return sums[0].rows, found

    return finish


def _by_rows(pair: Pair, keys: KeyRange) -> Callable[[], tuple[int, list[Key]]]:
    legacy, new = pair.ask(lambda side: side.digests(keys))

    def finish() -> tuple[int, list[Key]]:
        digests: tuple[dict[Key, Digest], dict[Key, Digest]] = legacy.result(), new.result()
        return len(digests[0]), suspects(*digests)

    return finish


def _narrow(pair: Pair, keys: KeyRange, legacy: Checksum, new: Checksum, chunk_rows: int) -> Iterator[Key]:
    """From a chunk that differs to its keys: row by row, after splitting what one side has too much of."""
    larger = max(legacy.rows, new.rows)
    if larger > _OVERSIZE * chunk_rows:
        side = pair.legacy if legacy.rows >= new.rows else pair.new
        middle = side.middle(keys, larger // 2)
        if middle is not None:
            for part in keys.split(middle):
                sums = pair.both(lambda side, part=part: side.checksum(part))  # type: ignore[misc]
                if sums[0] != sums[1]:
                    yield from _narrow(pair, part, *sums, chunk_rows)
            return
    yield from suspects(*pair.both(lambda side: side.digests(keys)))
