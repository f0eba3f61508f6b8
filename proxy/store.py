"""Versions of the flags, kept in a database: who changed what, when and why."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import Engine

from proxy.flags import FlagSet


class Outcome(StrEnum):
    """What became of a version."""

    PENDING = "pending"  # committed, not yet acknowledged by every connected proxy
    APPLIED = "applied"  # acknowledged by every connected proxy
    REFUSED = "refused"  # a proxy refused it; the version before stayed


@dataclass(frozen=True)
class Change:
    """One version and its history."""

    version: int
    actor: str
    reason: str
    action: str
    at: datetime  # UTC
    outcome: Outcome
    detail: str  # why it was refused; empty otherwise
    flags: FlagSet


class Conflict(Exception):
    """Somebody else made a version in between: ``expected`` was read, ``found`` is the current one."""

    def __init__(self, expected: int, found: int) -> None:
        super().__init__(f"the flags are at version {found}, not {expected}: read them again and repeat the change")
        self.expected = expected
        self.found = found


def engine_for(url: str) -> Engine:
    """An engine fit for the store: SQLite in WAL with short commits, or MySQL (``mysql://`` means PyMySQL)."""
    raise NotImplementedError


class FlagStore:
    """Every change of the flags is a new version; nothing is overwritten. Blocking, about a millisecond a call."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def create(self) -> None:
        """Make the tables if they are missing."""
        raise NotImplementedError

    def current(self) -> FlagSet:
        """The newest version that wasn't refused; version 0 with no flags in an empty store."""
        raise NotImplementedError

    def at(self, version: int) -> FlagSet:
        """That version. Raises KeyError when there is none."""
        raise NotImplementedError

    def history(self, limit: int = 100) -> list[Change]:
        """The newest changes first."""
        raise NotImplementedError

    def commit(self, flags: FlagSet, *, expected: int, actor: str, reason: str, action: str) -> FlagSet:
        """Store as the next version (returned with its number), pending. Raises Conflict if ``expected`` isn't current,
        ValueError without an actor or a reason."""
        raise NotImplementedError

    def settle(self, version: int, outcome: Outcome, detail: str = "") -> None:
        """Write down what became of a version."""
        raise NotImplementedError
