"""Settling as transcripts: what was read, what the stream said, what follows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cdc.verify import NotSettled
from cdc.verify.settle import Settled, settle_keys


class Stream:
    """Applies what is asked for at once; ``stands_still`` never does."""

    def __init__(self, stands_still: bool = False) -> None:
        self.stands_still = stands_still
        self.waited_for: list[str] = []

    def source_position(self) -> str:
        return f"position {len(self.waited_for) + 1}"

    def wait_applied(self, position: str, timeout_seconds: float) -> bool:
        self.waited_for.append(position)
        return not self.stands_still


class Readings:
    """Gives one reading after another, then the last for ever."""

    def __init__(self, *readings: dict[str, str]) -> None:
        self.readings = list(readings)

    def __call__(self, keys: Sequence[str]) -> Mapping[str, str]:
        reading = self.readings.pop(0) if len(self.readings) > 1 else self.readings[0]
        return {key: value for key, value in reading.items() if key in keys}


def settle(owner: Readings, other: Readings, stream: Stream | None = None, **options: int) -> Settled[str, str]:
    return settle_keys(
        ["k"],
        owner,
        other,
        stream or Stream(),
        timeout_seconds=1.0,
        pause=lambda: None,
        **{"confirmations": 3} | options,
    )


def test_a_row_that_the_stream_brings_is_equal() -> None:
    settled = settle(Readings({"k": "new"}), Readings({"k": "new"}))
    assert (settled.equal, settled.different, settled.unsettled) == (1, {}, [])


def test_a_row_that_stood_still_and_is_not_there_is_different() -> None:
    stream = Stream()
    settled = settle(Readings({"k": "a"}), Readings({"k": "b"}), stream)
    assert settled.different == {"k": ("a", "b")}
    assert stream.waited_for == ["position 1", "position 2", "position 3"]


def test_missing_and_extra_are_different_too() -> None:
    assert settle(Readings({"k": "a"}), Readings({})).different == {"k": ("a", None)}
    assert settle(Readings({}), Readings({"k": "b"})).different == {"k": (None, "b")}


def test_the_other_side_may_be_ahead_of_the_first_reading() -> None:
    assert settle(Readings({"k": "1"}, {"k": "2"}), Readings({"k": "2"})).equal == 1


def test_a_row_that_changed_meanwhile_goes_round_again() -> None:
    settled = settle(Readings({"k": "1"}, {"k": "3"}, {"k": "3"}), Readings({"k": "2"}, {"k": "3"}))
    assert (settled.equal, settled.different) == (1, {})


def test_one_sight_is_not_enough_as_a_row_may_change_back_unseen() -> None:
    """1 became 2, was applied, and was 1 again when it was read the second time."""
    settled = settle(Readings({"k": "1"}), Readings({"k": "2"}, {"k": "1"}))
    assert (settled.equal, settled.different) == (1, {})


def test_confirmations_have_to_be_of_the_same_values() -> None:
    others = Readings({"k": "2"}, {"k": "2"}, {"k": "3"}, {"k": "3"}, {"k": "1"})
    assert settle(Readings({"k": "1"}), others).equal == 1


def test_a_row_that_never_stands_still_is_unsettled() -> None:
    owner = Readings(*({"k": str(n)} for n in range(100)))
    settled = settle(owner, Readings({"k": "never"}), rounds=5)
    assert settled.unsettled == ["k"]
    assert settled.different == {}


def test_a_stream_that_stands_still_is_an_error_not_a_difference() -> None:
    with pytest.raises(NotSettled, match=r"not applied position position 1 within 1 s.*sync status"):
        settle(Readings({"k": "a"}), Readings({"k": "b"}), Stream(stands_still=True))


def test_without_a_stream_both_are_read_once_more() -> None:
    settled = settle_keys(
        ["k", "l"], Readings({"k": "a", "l": "l"}), Readings({"k": "b", "l": "l"}), None, timeout_seconds=1.0
    )
    assert (settled.different, settled.equal) == ({"k": ("a", "b")}, 1)


def test_nothing_to_settle_asks_nobody() -> None:
    stream = Stream(stands_still=True)
    assert settle_keys([], Readings({}), Readings({}), stream, timeout_seconds=1.0) == Settled()
    assert stream.waited_for == []


@given(st.data())
def test_whatever_a_following_stream_shows_is_never_different(data: st.DataObject) -> None:
    """The owner's row takes a random walk over few values; the other side holds, after each wait, some value that the
    owner had at or after the position waited for. To be taken for different by mistake, the row would have to change
    and change back once per confirmation: more often than this history is long."""
    history = data.draw(st.lists(st.sampled_from([None, "a", "b"]), min_size=1, max_size=30))
    now = 0
    applied = 0

    def row(at: int) -> Mapping[str, str]:
        value = history[at]
        return {} if value is None else {"k": value}

    def move() -> None:
        nonlocal now
        now = min(len(history) - 1, now + data.draw(st.integers(0, 3)))

    def owner(_: Sequence[str]) -> Mapping[str, str]:
        move()
        return row(now)

    def other(_: Sequence[str]) -> Mapping[str, str]:
        nonlocal applied
        move()
        applied = data.draw(st.integers(applied, now))
        return row(applied)

    class Following:
        def source_position(self) -> str:
            return str(now)

        def wait_applied(self, position: str, timeout_seconds: float) -> bool:
            nonlocal applied
            applied = max(applied, int(position))
            move()
            return True

    settled = settle_keys(["k"], owner, other, Following(), timeout_seconds=1.0, confirmations=20, pause=lambda: None)
    assert settled.different == {}
