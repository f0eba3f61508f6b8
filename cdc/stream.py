"""The stream of one capability: check, copy what was there, follow, and keep saying how it goes."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from pathlib import Path

from cdc.database import Database
from cdc.mapping import CapabilityMapping
from cdc.state import Direction


@dataclass(frozen=True)
class EngineFiles:
    """What the embedded engine needs of this machine. ``folder`` keeps its schema history and offset file."""

    jars: tuple[Path, ...]
    java_home: Path
    folder: Path
    heap_mb: int = 256


@dataclass(frozen=True)
class StreamSpec:
    """One stream: whose rows, where to, by which mapping, with what engine."""

    mapping: CapabilityMapping
    source: Database
    target: Database
    engine: EngineFiles
    direction: Direction = Direction.TO_NEW

    @property
    def capability(self) -> str:
        return self.mapping.capability


def run(spec: StreamSpec, stop: threading.Event) -> None:
    """Do what the desk wants until ``stop`` is set. Blocks. Errors stop the stream, not this function: they are told in
    the desk's status, and the stream goes on when somebody asks for it (``StreamDesk.resume``)."""
    raise NotImplementedError
