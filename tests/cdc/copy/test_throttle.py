from __future__ import annotations

from cdc.copy.settings import CopySettings
from cdc.copy.throttle import why_wait

SETTINGS = CopySettings(max_lag_seconds=2.0, max_threads_running=10)


def test_nothing_speaks_against_a_chunk_within_the_limits():
    assert why_wait(SETTINGS, 2.0, 10) is None


def test_the_stream_comes_first():
    assert why_wait(SETTINGS, 2.5, 0) == "the stream is 2.5 s behind, more than 2 s"
    assert why_wait(SETTINGS, None, 0) == "the stream has not begun to flow"


def test_a_busy_source_is_left_alone():
    assert why_wait(SETTINGS, 0.1, 11) == "the source runs 11 statements at once, more than 10"
