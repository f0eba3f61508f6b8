"""What a stream needs of whatever hosts Debezium. The adapters are ``embedded`` and ``kafka``; ``hosting`` has both."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class Resume:
    """Where to go on, stored with the rows: ``offset`` is the source's own text, ``history`` what it knows of the
    tables' past shapes (empty for hostings that keep it themselves)."""

    offset: str
    history: bytes


class SourceError(Exception):
    """The source ended by itself. ``away`` says that a server could not be reached, so that waiting may help."""

    def __init__(self, message: str, *, away: bool = False, way_out: str = "") -> None:
        super().__init__(message)
        self.away, self.way_out = away, way_out


class Batch(Protocol):
    """One hand-over: ``values`` is a JSON array of ``size`` record values, for ``cdc.event.parse``."""

    @property
    def values(self) -> bytes | bytearray: ...

    @property
    def size(self) -> int: ...

    def forget(self) -> None:
        """The values were read, and are not asked for again."""

    def offset(self, at: int) -> str:
        """The offset that resumes right after the record at this place of the batch."""


class Source(Protocol):
    """A stream of change events of the tables it was made for, beginning after ``resume`` or, without one, now."""

    def start(self, resume: Resume | None) -> None:
        """May take seconds. Raises SourceError; what goes wrong later is raised by ``poll``."""

    def poll(self, timeout_seconds: float) -> Batch | None:
        """The next batch, or None when there was none in time. Raises SourceError once the source has ended."""

    def history(self) -> bytes:
        """As in ``Resume``; read it after a schema change has arrived."""

    def unseen(self) -> dict[str, str]:
        """Tables of which the source passed over something that is no row event since this was last asked, each with
        the statement. All of it lies before whatever is polled later."""

    def close(self) -> None:
        """Stop and wait until it has stopped. Safe to repeat, and after an error."""
