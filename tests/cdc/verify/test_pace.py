"""When a chunk may be read, and how a comparison is kept and taken up again; no server."""

from __future__ import annotations

import json
import threading

import pytest

from cdc.verify import Interrupted, Limits, Mark
from cdc.verify.pace import Pace, why_wait

LIMITS = Limits(max_threads_running=5, max_rows_per_second=1000)


@pytest.mark.parametrize(
    ("threads", "due", "said"),
    [
        (5, 99.0, None),
        (6, 99.0, "the source runs 6 statements at once, more than 5"),
        (0, 100.5, "1,000 rows a second are allowed"),
    ],
)
def test_a_chunk_waits_for_the_source_and_for_its_turn(threads: int, due: float, said: str | None) -> None:
    assert why_wait(LIMITS, threads, due, now=100.0) == said


def test_rows_taken_put_off_the_next_ones() -> None:
    stop, waited = threading.Event(), []

    def waiting() -> None:
        waited.append(pace.reason)
        stop.set()

    pace = Pace(Limits(max_rows_per_second=1), None, stop)
    pace.take(1000)
    with pytest.raises(Interrupted):
        pace.take(1000, waiting)
    assert waited == ["1 rows a second are allowed"]


def test_a_mark_is_the_same_after_it_was_stored() -> None:
    mark = Mark("s", ("7", "x'41'"), False, 10, 1.5, (("1", "a"), ("2", "b")), 1, 2, 3, 4, 5)
    assert Mark.from_json(json.loads(json.dumps(mark.to_json()))) == mark
    assert Mark.from_json(json.loads(json.dumps(Mark("s", None, True, 0, 0.0).to_json()))).after is None
