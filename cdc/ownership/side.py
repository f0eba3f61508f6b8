"""The two sides, and where each has its tables."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from cdc.database import Database
from cdc.state import Direction


class Side(StrEnum):
    LEGACY = "legacy"
    NEW = "new"

    @property
    def other(self) -> Side:
        return Side.NEW if self is Side.LEGACY else Side.LEGACY


def source_side(direction: Direction) -> Side:
    """Whose rows a stream carries."""
    return Side.LEGACY if direction is Direction.TO_NEW else Side.NEW


@dataclass(frozen=True)
class Sides:
    """The two databases of one capability. They may be schemas of one server."""

    legacy: Database
    new: Database

    def of(self, side: Side) -> Database:
        return self.legacy if side is Side.LEGACY else self.new
