"""What processors were busy with: seconds of each server, and of each kind of thread in a stream's worker."""

from __future__ import annotations

import os
import threading
import time
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
#: How threads are called (the first 15 letters are all that Linux keeps), and what they do.
_JAVA = (
    ("blc-", "engine: binlog"),
    ("pool-", "engine: JSON"),
    ("debezium", "engine: JSON"),
    ("change-event", "engine: binlog"),
    ("VM Thread", "Java: garbage"),
    ("C1 ", "Java: compilers"),
    ("C2 ", "Java: compilers"),
)
_PYTHON = {"reader": "worker: parse", "ahead": "worker: prepare", "Thread-": "worker: write"}


@dataclass(frozen=True)
class Sample:
    """Processor seconds so far, per thread of this process and per server, and when that was."""

    at: float
    threads: Mapping[tuple[int, str], float]
    servers: Mapping[str, float]


def sample(servers: Mapping[str, int]) -> Sample:
    """Of this process' threads, and of the processes that are named."""
    names = {thread.native_id: thread.name for thread in threading.enumerate()}
    found: dict[tuple[int, str], float] = {}
    for folder in Path("/proc/self/task").iterdir():
        try:
            found[int(folder.name), _kind(folder, names.get(int(folder.name)))] = _seconds(folder / "stat")
        except OSError:  # it has just ended
            continue
    return Sample(time.monotonic(), found, {name: _seconds(Path(f"/proc/{pid}/stat")) for name, pid in servers.items()})


def spent(before: Sample, after: Sample) -> dict[str, float]:
    """Seconds between the two by what they were spent on; a thread that has ended meanwhile is not seen."""
    total: dict[str, float] = defaultdict(float)
    for (thread, kind), seconds in after.threads.items():
        total[kind] += seconds - before.threads.get((thread, kind), 0.0)
    for name, seconds in after.servers.items():
        total[name] += seconds - before.servers[name]
    return dict(total)


def _kind(folder: Path, python: str | None) -> str:
    if python is not None:
        return next((kind for start, kind in _PYTHON.items() if python.startswith(start)), "worker: the rest")
    name = (folder / "comm").read_text().strip()
    return next((kind for start, kind in _JAVA if name.startswith(start)), f"Java: the rest {name}")


def _seconds(stat: Path) -> float:
    fields = stat.read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS
