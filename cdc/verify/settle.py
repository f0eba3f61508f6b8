"""Telling a real difference from a row in flight: by the stream's position, not by the row's age."""

from __future__ import annotations

from typing import Protocol


class Settle(Protocol):
    """What the comparison asks of the stream that carries the owner's rows to the other side."""

    def source_position(self) -> str:
        """The owner's position now: at or after every transaction that was visible before the call."""
        ...

    def wait_applied(self, position: str, timeout_seconds: float) -> bool:
        """Block until the other side has committed everything up to ``position``; False when the time ran out."""
        ...
