from __future__ import annotations

from collections import deque

from hypothesis import given
from hypothesis import strategies as st

from cdc.copy.progress import CHUNK_BYTES, MIN_ROWS, STEP, Chunk, Gap, first_rows, gaps, next_rows
from cdc.ranges import KeyRange


def chunk(number: int, after: str | None, through: str | None) -> Chunk:
    keys = KeyRange(None if after is None else (after,), None if through is None else (through,))
    return Chunk("t", number, keys)


def test_nothing_done_is_one_gap_and_everything_done_none():
    assert gaps([]) == [Gap(KeyRange(), STEP)]
    assert gaps([chunk(STEP, None, None)]) == []


def test_what_lies_between_chunks_that_are_done_is_left():
    done = [chunk(4 * STEP, "30", "40"), chunk(STEP, None, "10")]
    assert gaps(done) == [Gap(KeyRange(("10",), ("30",)), STEP + 1), Gap(KeyRange(("40",)), 5 * STEP)]


def test_the_first_chunk_may_be_the_one_that_is_missing():
    done = [chunk(2 * STEP, "10", "20"), chunk(3 * STEP, "20", None)]
    assert gaps(done) == [Gap(KeyRange(None, ("10",)), 1)]


@given(st.data())
def test_through_any_number_of_kills_each_key_is_in_exactly_one_chunk_that_is_done(data):
    """Runs take chunks of any size, and lose any of those that are under way."""
    keys = range(40)
    done: list[Chunk] = []
    for run in range(16):
        left, taken = deque(gaps(done)), list[Chunk]()
        if not left:
            break
        for _ in range(data.draw(st.integers(1, 6)) if run < 15 else 1000):
            if not left:
                break
            gap, size = left[0], data.draw(st.integers(1, 9)) if run < 15 else 40
            inside = [k for k in keys if within(k, gap.keys)]
            left.popleft()
            if len(inside) < size or not gap.last:
                taken.append(Chunk("t", gap.number, gap.keys))
            else:
                end = (str(inside[size - 1]),)
                taken.append(Chunk("t", gap.number, KeyRange(gap.keys.after, end)))
                left.append(gap.cut(end))
        done += [one for one in taken if run >= 15 or data.draw(st.booleans())]
    assert gaps(done) == []
    assert sorted(k for one in done for k in keys if within(k, one.keys)) == list(keys)
    assert len({one.number for one in done}) == len(done)


def within(key: int, keys: KeyRange) -> bool:
    return (keys.after is None or key > int(keys.after[0])) and (keys.through is None or key <= int(keys.through[0]))


def test_the_first_chunk_is_as_large_as_rows_are_small():
    assert first_rows(200, 20_000) == 20_000
    assert first_rows(1 << 20, 20_000) == 8
    assert first_rows(64 << 20, 20_000) == 1
    assert first_rows(0, 20_000) == 1_000


def test_chunks_grow_to_what_is_allowed_and_shrink_with_large_rows_and_slow_writes():
    assert next_rows(1000, 1000, 100_000, 0.1, 20_000) == 2000
    assert next_rows(15_000, 15_000, 1_000_000, 0.1, 20_000) == 20_000
    assert next_rows(1000, 1000, 100 * CHUNK_BYTES, 0.1, 20_000) == 10
    assert next_rows(10, 10, 1000 * CHUNK_BYTES, 0.1, 20_000) == 1
    assert next_rows(20_000, 20_000, 1_000_000, 4.0, 20_000) == 5000
    assert next_rows(1000, 600, 1000, 100.0, 20_000) == MIN_ROWS
    assert next_rows(700, 0, 0, 5.0, 20_000) == 700  # an empty range says nothing
