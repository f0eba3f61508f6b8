"""Records of responses: one line each in ``responses.tsv``, written by the shoppers, read by whoever judges the run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

FILE = "responses.tsv"
NO_SIDE = "-"  # answered by something that does not say who served it (no proxy between), or not answered
FLUSH_EVERY = 200


@dataclass(frozen=True)
class Record:
    """One response. ``at_ms`` since 1970; ``status`` 0: none came; ``version`` of the proxy's routes, 0 if unsaid;
    ``ok``: the status is one that the shopper has to reckon with; ``fallback``: legacy answered what failed on new."""

    at_ms: int
    user: int
    side: str
    route: str
    version: int
    status: int
    ok: bool
    latency_us: int
    fallback: bool = False

    def line(self) -> str:
        return (
            f"{self.at_ms}\t{self.user}\t{self.side}\t{self.route}\t{self.version}\t{self.status}\t"
            f"{int(self.ok)}\t{self.latency_us}\t{int(self.fallback)}\n"
        )


class ResponseLog:
    """Appends records to a run's file."""

    def __init__(self, folder: Path) -> None:
        self._file: TextIO = (folder / FILE).open("a", encoding="utf-8", buffering=1 << 16)
        self._unflushed = 0

    def write(self, record: Record) -> None:
        self._file.write(record.line())
        self._unflushed += 1
        if self._unflushed >= FLUSH_EVERY:
            self.flush()

    def flush(self) -> None:
        self._file.flush()
        self._unflushed = 0

    def close(self) -> None:
        self._file.close()


def read(folder: Path) -> Iterator[Record]:
    """All records of a run; a last line cut short (the run was killed) is left out. Raises FileNotFoundError."""
    with (folder / FILE).open(encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            if not line.endswith("\n"):
                return
            parts = line.rstrip("\n").split("\t")
            if len(parts) != 9:
                raise ValueError(f"{folder / FILE}:{number}: {len(parts)} columns where 9 belong")
            at, user, side, route, version, status, ok, latency, fallback = parts
            yield Record(
                int(at), int(user), side, route, int(version), int(status), ok == "1", int(latency), fallback == "1"
            )
