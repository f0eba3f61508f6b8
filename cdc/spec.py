"""What one stream is: whose rows go where, by which mapping, in what hosting."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from cdc.copy.settings import CopySettings
from cdc.database import Database
from cdc.mapping import CapabilityMapping
from cdc.quarantine import Bounds
from cdc.source.hosting import EngineFiles, Hosting
from cdc.source.port import Source
from cdc.source.settings import Capture
from cdc.state import Direction

__all__ = ["EngineFiles", "SourceOf", "StreamSpec"]


@dataclass(frozen=True)
class StreamSpec:
    """One stream: whose rows, where to, by which mapping, in what hosting."""

    mapping: CapabilityMapping
    source: Database
    target: Database
    engine: Hosting
    direction: Direction = Direction.TO_NEW
    copy: CopySettings = field(default_factory=CopySettings)
    quarantine: Bounds = field(default_factory=Bounds)
    recent_keys: int = 0  # how many of the keys changed last are told, for hot rows to be verified

    @property
    def capability(self) -> str:
        return self.mapping.capability

    @property
    def name(self) -> str:
        """Unique among the streams of a source; Debezium's topic prefix, hence the few characters."""
        return f"strangler.{self.capability}.{self.direction}".replace(" ", "_")


SourceOf = Callable[[Capture], Source]
"""Makes the source of a run; given by tests and other hostings, else it is the embedded engine."""
