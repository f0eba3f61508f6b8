"""A copy between watermarks, as a model: a table, its binlog, a stream, sessions that copy, in any order, with kills.

At every moment the target holds nothing but what the source held at the place where the stream is (invariant 8), and
all of it where chunks are written.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cdc.copy.progress import Chunk, gaps
from cdc.copy.window import Window, Windows
from cdc.event import Change, Event, Place, Truncate
from cdc.ranges import KeyRange

Rows = dict[int, int]
KEYS = 12


@dataclass
class Session:
    """One that copies: what it has read, and the place that the stream must have passed before it is written."""

    chunk: Chunk | None = None
    window: Window | None = None
    rows: Rows | None = None
    high: int = -1


@dataclass
class Model:
    heed_windows: bool = True
    source: Rows = field(default_factory=dict)
    binlog: list[Event] = field(default_factory=list)
    states: list[Rows] = field(default_factory=lambda: [{}])  # of the source, before each event of the binlog
    place: int = 0
    target: Rows = field(default_factory=dict)
    done: list[Chunk] = field(default_factory=list)
    versions: int = 0

    def __post_init__(self) -> None:
        for key in range(0, KEYS, 2):
            self.write(key, "put")
        self.place = len(self.binlog)  # all of that was there before the stream began
        self.begin()

    def begin(self) -> None:
        self.windows = Windows({"t": ("id",)}, most=6)
        self.sessions = [Session() for _ in range(3)]
        self.gaps = gaps(self.done)

    def write(self, key: int, kind: str) -> None:
        self.versions += 1
        if kind == "truncate":
            self.source = {}
            self.log(Truncate(0, "s", "t", Place(None, "b", 0)))
        elif kind == "put":
            self.source = {**self.source, key: self.versions}
            self.log(Change(0, "u", "s", "t", {"id": key}, {"id": key, "v": self.versions}, None, "b", 0))
        elif key in self.source:
            self.source = {k: v for k, v in self.source.items() if k != key}
            self.log(Change(0, "d", "s", "t", {"id": key}, None, None, "b", 0))

    def log(self, event: Event) -> None:
        self.binlog.append(event)
        self.states.append(self.source)

    def stream(self, count: int) -> None:
        events = self.binlog[self.place : self.place + count]
        self.windows.note(events)
        for event in events:
            if isinstance(event, Truncate):
                self.target.clear()
            elif isinstance(event, Change) and event.after is not None:
                self.target[event.after["id"]] = event.after["v"]
            elif isinstance(event, Change) and event.before is not None:
                self.target.pop(event.before["id"], None)
        self.place += len(events)
        self.check()

    def step(self, session: Session, size: int) -> None:
        """The next thing that this session does, if it can do it now."""
        if session.chunk is None:
            if self.gaps:
                session.chunk = self.cut(size)
        elif session.window is None:
            session.window = self.windows.open("t")  # and the low marker: all before it is seen by what is read
        elif session.rows is None:
            session.rows = {k: v for k, v in self.source.items() if inside(k, session.chunk.keys)}
            session.high = len(self.binlog)
        elif self.place >= session.high:
            self.write_chunk(session, session.chunk, session.window, session.rows)

    def cut(self, size: int) -> Chunk:
        gap = self.gaps.pop(0)
        keys = [k for k in sorted(self.source) if inside(k, gap.keys)]
        if len(keys) < size or not gap.last:
            return Chunk("t", gap.number, gap.keys)
        end = (str(keys[size - 1]),)
        self.gaps.append(gap.cut(end))
        return Chunk("t", gap.number, KeyRange(gap.keys.after, end))

    def write_chunk(self, session: Session, chunk: Chunk, window: Window, rows: Rows) -> None:
        seen = self.windows.close(window)
        session.window = session.rows = None
        if not self.heed_windows:
            seen = []
        if seen is not None:
            left_out = {key for (key,) in seen}
            self.target.update({k: v for k, v in rows.items() if k not in left_out})
            self.done.append(chunk)
            session.chunk = None
            self.check()

    def check(self) -> None:
        now = self.states[self.place]
        assert self.target.items() <= now.items(), "an older row, a newer one, or one that was deleted"
        for chunk in self.done:
            wanted = {k: v for k, v in now.items() if inside(k, chunk.keys)}
            assert wanted.items() <= self.target.items(), "a row of a chunk is missing"

    def finish(self) -> None:
        for _ in range(100):
            self.stream(len(self.binlog))
            for session in self.sessions:
                self.step(session, 3)
        assert not self.gaps and all(session.chunk is None for session in self.sessions)
        assert self.target == self.source
        assert gaps(self.done) == []


def inside(key: int, keys: KeyRange) -> bool:
    return (keys.after is None or key > int(keys.after[0])) and (keys.through is None or key <= int(keys.through[0]))


writes = st.tuples(
    st.just("write"), st.integers(0, KEYS - 1), st.sampled_from(["put", "put", "put", "delete", "delete", "truncate"])
)
streams = st.tuples(st.just("stream"), st.integers(1, 6), st.none())
steps = st.tuples(st.just("step"), st.integers(0, 2), st.integers(1, 4))
kills = st.tuples(st.just("kill"), st.none(), st.none())
happenings = st.lists(st.one_of(writes, writes, streams, streams, steps, steps, steps, steps, kills), max_size=150)


def run(model: Model, happens: list[tuple[str, int, object]]) -> None:
    for what, number, how in happens:
        if what == "write":
            model.write(number, str(how))
        elif what == "stream":
            model.stream(number)
        elif what == "step":
            model.step(model.sessions[number], int(str(how)))
        else:
            model.begin()
    model.finish()


@given(happenings)
@settings(max_examples=150, deadline=None)
def test_the_target_is_never_older_nor_newer_than_the_stream(happens):
    run(Model(), happens)


def test_without_windows_it_would_be():
    """The model can tell."""
    dice = random.Random(1)
    with pytest.raises(AssertionError, match="an older row"):
        for _ in range(1000):
            happens = []
            for _ in range(60):
                what = dice.choice(["write", "stream", "step", "step"])
                first = dice.randrange(3) if what == "step" else dice.randrange(1, 6)
                happens.append((what, first, dice.choice(["put", "delete"]) if what == "write" else 3))
            run(Model(heed_windows=False), happens)
