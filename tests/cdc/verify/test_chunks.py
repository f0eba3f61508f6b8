"""Chunking and narrowing over two sides that are dictionaries."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any, cast
from zlib import crc32

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cdc.ranges import Bound, KeyRange
from cdc.verify.buckets import suspects_by_bucket
from cdc.verify.chunks import Looking, Pair, suspects_by_range
from cdc.verify.errors import VerifyError
from cdc.verify.narrow import suspects
from cdc.verify.side import Checksum, Digest, Key, Side


class Rows:
    """What a Side answers, from a dictionary of number to value."""

    def __init__(self, rows: dict[int, int]) -> None:
        self.rows = rows
        self.fetched_at_most = 0

    def _in(self, keys: KeyRange) -> list[int]:
        low = int(keys.after[0]) if keys.after else -(10**9)
        high = int(keys.through[0]) if keys.through else 10**9
        return [n for n in sorted(self.rows) if low < n <= high]

    def _digest(self, number: int) -> int:
        return hash((number, self.rows[number])) % 2**64

    def checksum(self, keys: KeyRange) -> Checksum:
        total = Checksum(0, 0)
        for number in self._in(keys):
            total ^= Checksum(1, self._digest(number))
        return total

    def bucket_checksums(self, keys: KeyRange, buckets: int) -> dict[int, Checksum]:
        sums: dict[int, Checksum] = {}
        for number in self._in(keys):
            bucket = crc32(str(number).encode()) % buckets
            sums[bucket] = sums.get(bucket, Checksum(0, 0)) ^ Checksum(1, self._digest(number))
        return sums

    def digests(self, keys: KeyRange, buckets: tuple[int, Sequence[int]] | None = None) -> dict[Key, Digest]:
        found = {
            (str(n),): (self._digest(n), ())
            for n in self._in(keys)
            if buckets is None or crc32(str(n).encode()) % buckets[0] in buckets[1]
        }
        self.fetched_at_most = max(self.fetched_at_most, len(found))
        return cast(dict[Key, Digest], found)

    def middle(self, keys: KeyRange, rows: int) -> Bound | None:
        inside = self._in(keys)
        return (str(inside[rows - 1]),) if len(inside) >= rows else None

    def bound(self, after: Bound | None, rows: int) -> Bound | None:
        return self.middle(KeyRange(after), rows)

    def count(self) -> int:
        return len(self.rows)

    def refuse_twice(self, keys: set[Key]) -> None:
        if keys:
            raise VerifyError("twice")


tables = st.dictionaries(st.integers(-50, 50), st.integers(0, 2), max_size=60)


def expected(legacy: dict[int, int], new: dict[int, int]) -> set[Key]:
    return {(str(n),) for n in legacy.keys() | new.keys() if legacy.get(n) != new.get(n)}


@settings(max_examples=60, deadline=None)
@given(legacy=tables, new=tables, same=st.booleans(), chunk_rows=st.integers(1, 20), rowwise=st.booleans())
@pytest.mark.parametrize("search", [suspects_by_range, suspects_by_bucket])
def test_exactly_the_differing_keys_are_found_each_once(
    search: Any, legacy: dict[int, int], new: dict[int, int], same: bool, chunk_rows: int, rowwise: bool
) -> None:
    new = {**legacy, **dict(list(new.items())[:3])} if same else new
    counted: list[int] = []
    with Pair(cast(Side, Rows(legacy)), cast(Side, Rows(new))) as pair:
        lists = list(search(pair, Looking(chunk_rows, rowwise, counted.append)))
    found = [key for part in lists for key in part]
    assert len(found) == len(set(found))
    assert set(found) == expected(legacy, new)
    assert sum(counted) == len(legacy)


@settings(max_examples=40, deadline=None)
@given(legacy=tables, new=tables, chunk_rows=st.integers(1, 10), looked_at=st.integers(0, 30))
def test_what_is_cut_off_and_what_goes_on_from_there_see_every_key_once(
    legacy: dict[int, int], new: dict[int, int], chunk_rows: int, looked_at: int
) -> None:
    """Wherever it is cut off: keys up to the last place told are not looked at again, all others are."""
    reached: list[Bound] = []
    first: list[Key] = []
    wanted = expected(legacy, new)

    def through(bound: Bound) -> None:
        assert {key for key in wanted if int(key[0]) <= int(bound[0])} <= set(first)
        reached.append(bound)

    with Pair(cast(Side, Rows(legacy)), cast(Side, Rows(new))) as pair:
        search = suspects_by_range(pair, Looking(chunk_rows, False, lambda _: None, through=through))
        for part in itertools.islice(search, looked_at):
            first += part
        after = reached[-1] if reached else None
        rest = suspects_by_range(pair, Looking(chunk_rows, False, lambda _: None, after=after))
        later = [key for part in rest for key in part]
    before = [key for key in first if after is not None and int(key[0]) <= int(after[0])]
    assert sorted(before + later) == sorted(wanted)


def test_a_chunk_that_one_side_overfills_is_split_before_its_rows_are_fetched() -> None:
    legacy, new = Rows({0: 0, 10_000: 0}), Rows(dict.fromkeys(range(10001), 0))
    with Pair(cast(Side, legacy), cast(Side, new)) as pair:
        found = [k for part in suspects_by_range(pair, Looking(50, False, lambda _: None)) for k in part]
    assert len(found) == 9_999
    assert new.fetched_at_most <= 4 * 50


def test_an_error_on_one_side_ends_the_comparison() -> None:
    class Broken(Rows):
        def checksum(self, keys: KeyRange) -> Checksum:
            raise VerifyError("the new side is away")

    with (
        Pair(cast(Side, Rows({1: 1})), cast(Side, Broken({1: 1}))) as pair,
        pytest.raises(VerifyError, match="the new side is away"),
    ):
        list(suspects_by_range(pair, Looking(5, False, lambda _: None)))


def test_suspects_are_what_one_side_lacks_or_holds_differently() -> None:
    assert suspects({"a": 1, "b": 2, "c": 3}, {"b": 2, "c": 4, "d": 5}) == ["a", "c", "d"]
