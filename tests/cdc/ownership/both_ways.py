"""Both streams of one capability, their workers as processes, and a move of ownership as the orchestrator does it."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field

from cdc.mapping import CapabilityMapping, inverse
from cdc.ownership.arm import check
from cdc.ownership.delta import delta
from cdc.ownership.ids import reserve, short
from cdc.ownership.move import admit, move
from cdc.ownership.recent import forget_recent, recent
from cdc.ownership.row import read_both, watch
from cdc.ownership.side import Side, Sides
from cdc.position import Position
from cdc.server import source_position
from cdc.session import open_session
from cdc.source.hosting import Hosting
from cdc.state import Direction, StreamState, await_position
from tests.cdc.lab import Lab

PATIENCE = 240.0  # two JVMs may be starting meanwhile, on a busy machine


@dataclass
class BothWays:
    mapping: CapabilityMapping
    sides: Sides
    engines: tuple[Hosting, Hosting]
    forth: Lab = field(init=False)
    back: Lab = field(init=False)
    noted: set[str] = field(default_factory=set)  # tables of which keys were noted
    _workers: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def __post_init__(self) -> None:
        legacy, new = self.sides.legacy, self.sides.new
        self.forth = Lab(legacy, new, self.mapping.forth, self.engines[0])
        self.back = Lab(new, legacy, inverse(self.mapping), self.engines[1], direction=Direction.TO_LEGACY)

    def start(self) -> None:
        """Both workers."""
        self._workers = [self.forth.process(), self.back.process()]

    def kill(self) -> None:
        for worker in self._workers:
            worker.kill()
        assert [worker.wait(10) for worker in self._workers] == [-9, -9]

    @contextmanager
    def streaming(self) -> Iterator[None]:
        """Both streams, up to where they stream."""
        self.start()
        try:
            for lab in (self.forth, self.back):
                lab.desk.want("running")
            for lab in (self.forth, self.back):
                lab.until(StreamState.STREAMING, seconds=PATIENCE)
            yield
        finally:
            for worker in self._workers:
                worker.terminate()
            for worker in self._workers:
                worker.wait(60)

    def settle(self) -> None:
        self.forth.settle(PATIENCE)
        self.back.settle(PATIENCE)

    def token(self) -> int:
        rows = read_both(self.sides, self.mapping.capability)
        found = {row.token for row in rows.values() if row is not None}
        assert len(found) == 1, rows
        return found.pop()

    def move(self, to: Side) -> None:
        """Everything but the proxy's part."""
        mapping, sides, old, token = self.mapping, self.sides, to.other, self.token()
        assert check(mapping, sides) == []
        reserve(mapping, sides, to)
        with closing(open_session(sides.of(to))) as session:
            watch(session, mapping.capability, to, True)
        time.sleep(0.5)
        fence = self._move(old, to, token, None)
        carries = self.forth if to is Side.NEW else self.back
        assert await_position(carries.desk, fence, PATIENCE), carries.desk.status()
        compared = delta(mapping, sides, to)
        assert all(one.proven and one.rows for one in compared), compared
        with closing(open_session(sides.of(to))) as session:
            self.noted |= set(recent(session, mapping.capability, carries.direction))
            watch(session, mapping.capability, to, False)
            forget_recent(session, mapping.capability, carries.direction)
        assert short(mapping, sides, to) == []
        since = source_position(sides.of(to))
        with closing(open_session(sides.of(old))) as session:
            admit(session, mapping.capability, old, token + 1, since)
        self._move(to, to, token, "")

    def _move(self, side: Side, owner: Side, token: int, since: str | None) -> Position:
        database = self.sides.of(side)
        with closing(open_session(database)) as session:
            return move(
                session,
                database,
                self.mapping.capability,
                side,
                owner=owner,
                token_from=token,
                token_to=token + 1,
                since=since,
                journal="test",
            )
