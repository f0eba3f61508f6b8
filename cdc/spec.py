"""What one stream is: whose rows go where, by which mapping, in what hosting."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from cdc.copy.settings import CopySettings
from cdc.database import Database
from cdc.mapping import CapabilityMapping, inverse
from cdc.policy import SchemaPolicy
from cdc.quarantine import Bounds
from cdc.source.hosting import EngineFiles, Hosting
from cdc.source.port import Source
from cdc.source.settings import Capture
from cdc.state import Direction

__all__ = ["EngineFiles", "SourceOf", "SpecError", "SpecOf", "StreamSpec"]


@dataclass(frozen=True)
class StreamSpec:
    """One stream: whose rows, where to, by which mapping, in what hosting. ``back`` makes the one of the way back."""

    mapping: CapabilityMapping
    source: Database
    target: Database
    engine: Hosting
    direction: Direction = Direction.TO_NEW
    copy: CopySettings = field(default_factory=CopySettings)
    quarantine: Bounds = field(default_factory=Bounds)
    recent_keys: int = 0  # how many of the keys changed last are told, for hot rows to be verified
    schema_changes: SchemaPolicy = field(default_factory=SchemaPolicy)
    accepted_keys: frozenset[str] = frozenset()  # foreign keys whose doings a comparison has to find

    @property
    def capability(self) -> str:
        return self.mapping.capability

    @property
    def copies(self) -> bool:
        """Whether it brings what was there before it began. A way back does not: legacy has it."""
        return self.direction is Direction.TO_NEW

    @property
    def name(self) -> str:
        """Unique among the streams of a source; Debezium's topic prefix, hence the few characters."""
        return f"strangler.{self.capability}.{self.direction}".replace(" ", "_")

    def back(self, engine: Hosting) -> StreamSpec:
        """Of a stream from legacy to new, its counterpart; ``engine``: with files of its own. Raises ValueError when
        the mapping has no way back."""
        mapping = inverse(self.mapping)
        return replace(
            self, mapping=mapping, source=self.target, target=self.source, engine=engine, direction=Direction.TO_LEGACY
        )


class SpecError(Exception):
    """What a stream is can't be read: the configuration is wrong. Its words say where."""


SpecOf = Callable[[], StreamSpec]
"""Reads what the stream is now: a mapping is corrected while its stream is stopped. Raises SpecError."""

SourceOf = Callable[[Capture], Source]
"""Makes the source of a run; given by tests and other hostings, else it is the embedded engine."""
