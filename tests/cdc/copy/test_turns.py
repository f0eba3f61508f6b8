"""Threads wait for each other here; nothing is asserted about how long."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from cdc.copy.turns import Ended, Turns

ITEMS, BRANDS = frozenset({"items"}), frozenset({"brands"})
PATIENCE = 20.0


def begun(work: Callable[[], None]) -> threading.Thread:
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread


class Chunk:
    """A session that wants to write once marker ``high`` has passed, and writes until it is told to end."""

    def __init__(self, turns: Turns, high: int, tables: frozenset[str] = ITEMS) -> None:
        self.writing, self.end = threading.Event(), threading.Event()
        self.refused = False

        def work() -> None:
            try:
                with turns.turn(high, tables):
                    self.writing.set()
                    assert self.end.wait(PATIENCE)
            except Ended:
                self.refused = True

        self.thread = begun(work)


def test_a_chunk_waits_for_its_marker():
    turns = Turns()
    chunk = Chunk(turns, 5)
    turns.stream_begins(ITEMS)
    turns.stream_ended(4)
    assert not chunk.writing.wait(0.05)
    turns.stream_begins(frozenset())
    turns.stream_ended(5)
    assert chunk.writing.wait(PATIENCE)
    chunk.end.set()


def test_the_stream_waits_for_a_chunk_of_the_same_table_and_for_no_other():
    turns = Turns()
    chunk = Chunk(turns, -1)
    assert chunk.writing.wait(PATIENCE)
    turns.stream_begins(BRANDS)  # at once
    turns.stream_ended(1)
    came = threading.Event()

    def stream() -> None:
        turns.stream_begins(ITEMS)
        came.set()

    begun(stream)
    assert not came.wait(0.05)
    chunk.end.set()
    assert came.wait(PATIENCE)


def test_a_chunk_waits_while_the_stream_writes_its_table():
    turns = Turns()
    turns.stream_begins(ITEMS)
    chunk, other = Chunk(turns, -1), Chunk(turns, -1, BRANDS)
    assert other.writing.wait(PATIENCE)
    assert not chunk.writing.wait(0.05)
    turns.stream_ended()
    assert chunk.writing.wait(PATIENCE)
    chunk.end.set()
    other.end.set()


def test_a_busy_stream_lets_a_chunk_whose_marker_has_passed_go_first():
    turns = Turns()
    turns.stream_begins(ITEMS)
    chunk = Chunk(turns, 3)
    turns.stream_ended(3)
    turns.stream_begins(frozenset())
    again = threading.Event()

    def stream() -> None:
        turns.stream_begins(ITEMS)
        again.set()

    begun(stream)
    assert chunk.writing.wait(PATIENCE) and not again.is_set()
    chunk.end.set()
    assert again.wait(PATIENCE)


def test_after_the_end_nobody_writes():
    turns = Turns()
    chunk = Chunk(turns, 7)
    turns.end()
    chunk.thread.join(PATIENCE)
    assert chunk.refused
    with pytest.raises(Ended), turns.turn(-1, ITEMS):
        pass


def test_the_stream_does_not_wait_for_ever_when_it_is_to_stop():
    turns = Turns()
    chunk = Chunk(turns, -1)
    assert chunk.writing.wait(PATIENCE)
    with pytest.raises(Ended):
        turns.stream_begins(ITEMS, lambda: True)
    chunk.end.set()
