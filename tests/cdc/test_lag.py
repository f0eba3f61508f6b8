"""Lag, told by markers."""

from __future__ import annotations

import pytest

from cdc.marker import Lag, percentile


def test_unknown_until_the_first_marker_arrived():
    lag = Lag()
    assert (lag.now(1.0), lag.age(1.0), lag.waiting(1.0)) == (None, None, 0.0)
    lag.sent(1, 1.0)
    assert (lag.now(3.0), lag.waiting(3.0)) == (None, 2.0)


def test_the_last_one_that_arrived_or_the_oldest_under_way_whichever_is_longer():
    lag = Lag()
    lag.sent(1, 10.0)
    lag.sent(2, 10.1)
    lag.arrived(1, 10.5)
    assert lag.now(10.5) == pytest.approx(0.5)
    assert lag.now(12.1) == pytest.approx(2.0)  # nothing came since: the second is late
    lag.arrived(2, 12.2)
    assert lag.now(20.0) == pytest.approx(2.1)  # none is under way
    assert lag.samples() == pytest.approx([0.5, 2.1])


def test_a_later_marker_stands_for_those_before_it():
    lag = Lag()
    for number in (1, 2, 3):
        lag.sent(number, float(number))
    lag.arrived(3, 4.0)
    assert lag.waiting(9.0) == 0.0
    assert lag.samples() == [1.0]


def test_markers_of_another_run_say_nothing():
    lag = Lag()
    lag.arrived(77, 1.0)
    assert lag.now(1.0) is None
    lag.sent(78, 2.0)
    lag.forget_sent()
    lag.arrived(78, 9.0)
    assert lag.samples() == [] and lag.waiting(9.0) == 0.0


def test_the_data_ages_while_nothing_is_applied():
    lag = Lag()
    lag.sent(1, 5.0)
    lag.arrived(1, 5.2)
    assert lag.age(65.0) == pytest.approx(60.0)


def test_old_samples_go():
    lag = Lag(keep_seconds=10)
    for number, now in ((1, 0.0), (2, 5.0), (3, 12.0)):
        lag.sent(number, now - 0.5)
        lag.arrived(number, now)
    assert len(lag.samples()) == 2


@pytest.mark.parametrize(
    ("samples", "share", "value"),
    [([], 0.5, None), ([3.0], 0.99, 3.0), ([1, 2, 3, 4], 0.5, 2), (list(range(1, 101)), 0.99, 99), ([1, 2], 1.0, 2)],
)
def test_percentiles(samples: list[float], share: float, value: float | None):
    assert percentile(samples, share) == value
