"""What ``up`` notes down, so that ``ps``, ``logs`` and ``down`` need no strangler.toml."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from graphlib import TopologicalSorter

from strangler.dev.layout import Layout
from strangler.dev.process import Process
from strangler.dev.readiness import describe
from strangler.dev.server import write_private


@dataclass(frozen=True)
class Entry:
    """One process. ``external``: not started here, only used. ``asked``: how readiness is asked, for people."""

    name: str
    port: int | None
    needs: tuple[str, ...]
    external: bool
    asked: str


def entries(processes: Iterable[Process]) -> list[Entry]:
    return [
        Entry(process.name, process.port, process.needs, not process.argv, describe(process.ready))
        for process in processes
    ]


def save(processes: Iterable[Process], layout: Layout) -> None:
    write_private(layout.run / "processes.json", json.dumps([asdict(entry) for entry in entries(processes)], indent=1))


def load(layout: Layout) -> list[Entry]:
    """Empty if the environment was never up."""
    try:
        content = json.loads((layout.run / "processes.json").read_text())
    except FileNotFoundError:
        return []
    return [Entry(**{**item, "needs": tuple(item["needs"])}) for item in content]


def stop_order(known: Iterable[Entry]) -> list[list[str]]:
    """Groups to stop one after another, those that others need last; within a group at once."""
    sorter: TopologicalSorter[str] = TopologicalSorter(
        {entry.name: entry.needs for entry in known if not entry.external}
    )
    sorter.prepare()
    groups = []
    while ready := sorter.get_ready():
        groups.append(sorted(ready))
        sorter.done(*ready)
    return groups[::-1]
