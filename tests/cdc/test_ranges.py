"""Key ranges are SQL: SQLite, which shares this part of the language, says what they select."""

from __future__ import annotations

import sqlite3
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from cdc.ranges import KeyRange

small = st.integers(0, 4)


def select(rows: set[tuple[int, ...]], keys: KeyRange, columns: list[str]) -> set[tuple[int, ...]]:
    with sqlite3.connect(":memory:") as connection:
        connection.execute(f"CREATE TABLE t ({', '.join(columns)})")
        connection.executemany(f"INSERT INTO t VALUES ({', '.join('?' * len(columns))})", rows)
        return set(connection.execute(f"SELECT * FROM t WHERE {keys.predicate(columns)}"))


@given(
    st.integers(1, 3).flatmap(
        lambda n: st.tuples(st.just(n), st.sets(st.tuples(*[small] * n)), st.sets(st.tuples(*[small] * n)))
    )
)
def test_ranges_between_any_bounds_hold_each_row_exactly_once(
    case: tuple[int, set[tuple[int, ...]], set[tuple[int, ...]]],
) -> None:
    width, rows, cuts = case
    columns = [f"c{n}" for n in range(width)]
    bounds = [None, *[tuple(map(str, cut)) for cut in sorted(cuts)], None]
    found: list[tuple[int, ...]] = []
    for after, through in pairwise(bounds):
        part = select(rows, KeyRange(after, through), columns)
        assert all((after is None or row > tuple(map(int, after))) for row in part)
        assert all((through is None or row <= tuple(map(int, through))) for row in part)
        found += part
    assert sorted(found) == sorted(rows)


def test_no_bounds_is_no_condition() -> None:
    assert KeyRange().predicate(["a", "b"]) == "TRUE"


def test_the_first_column_stands_alone_so_that_an_index_serves_it() -> None:
    assert KeyRange(("1", "2")).predicate(["a", "b"]) == "a>=1 AND (a>1 OR (a=1 AND b>2))"
