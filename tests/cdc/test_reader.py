"""Reading ahead: in order, bounded, and an error only after all that came before it."""

from __future__ import annotations

import threading
import time
from collections import deque
from contextlib import closing
from dataclasses import dataclass

import orjson
import pytest

from cdc import reader as reader_module
from cdc.event import Change, EventError
from cdc.reader import Reader
from cdc.source.port import Resume, SourceError


@dataclass(frozen=True)
class Handed:
    values: bytes
    size: int = 1

    def forget(self) -> None:
        pass

    def offset(self, at: int) -> str:
        return f"{{{at}}}"


class Listed:
    """A source that hands over what it was given, then waits, or fails."""

    def __init__(self, values: list[bytes], error: Exception | None = None) -> None:
        self._values, self._error = deque(values), error
        self.taken = 0

    def add(self, values: bytes) -> None:
        self._values.append(values)

    def start(self, resume: Resume | None) -> None:
        pass

    def poll(self, timeout_seconds: float) -> Handed | None:
        if self._values:
            self.taken += 1
            return Handed(self._values.popleft())
        if self._error is not None:
            raise self._error
        time.sleep(min(timeout_seconds, 0.01))
        return None

    def history(self) -> bytes:
        return b""

    def unseen(self) -> dict[str, str]:
        return {}

    def close(self) -> None:
        pass


def change(number: int) -> bytes:
    source = {"db": "shop", "table": "items", "gtid": f"u:{number}", "file": "b.1", "pos": number}
    return orjson.dumps([{"op": "c", "before": None, "after": {"id": number}, "source": source}])


def positions(reader: Reader, count: int) -> list[int]:
    found: list[int] = []
    while len(found) < count:
        read = reader.poll(5.0)
        assert read is not None
        found += [event.offset for event in read.events if isinstance(event, Change)]
    return found


def test_events_come_in_the_sources_order() -> None:
    with closing(Reader(Listed([change(n) for n in range(50)]))) as reader:
        assert positions(reader, 50) == list(range(50))
        assert reader.poll(0.01) is None


@pytest.mark.parametrize(("bound", "most"), [("WAITING_EVENTS", 3), ("WAITING_BYTES", 3 * len(change(10)))])
def test_no_more_is_read_ahead_than_may_wait(monkeypatch: pytest.MonkeyPatch, bound: str, most: int) -> None:
    monkeypatch.setattr(reader_module, bound, most)
    source = Listed([change(n) for n in range(10, 30)])
    with closing(Reader(source)) as reader:
        assert positions(reader, 1) == [10]
        until = time.monotonic() + 5
        while source.taken < 5 and time.monotonic() < until:
            time.sleep(0.001)
        time.sleep(0.05)
        assert source.taken == 5  # one given out, three that wait, one in hand
        assert positions(reader, 19) == list(range(11, 30))


@pytest.mark.parametrize(
    ("values", "error", "expected"),
    [([change(1)], SourceError("gone"), SourceError), ([change(1), b'[{"something": 1}]'], None, EventError)],
)
def test_an_error_comes_after_what_was_before_it(
    values: list[bytes], error: Exception | None, expected: type[Exception]
) -> None:
    with closing(Reader(Listed(values, error))) as reader:
        assert positions(reader, 1) == [1]
        for _ in range(2):  # and again, whoever asks again
            with pytest.raises(expected):
                reader.poll(5.0)


def test_it_can_be_closed_while_it_waits_for_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader_module, "WAITING_EVENTS", 1)
    reader = Reader(Listed([change(n) for n in range(5)]))
    closing_thread = threading.Thread(target=reader.close)
    closing_thread.start()
    closing_thread.join(5)
    assert not closing_thread.is_alive()
    reader.close()
