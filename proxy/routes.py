"""Routes: which request belongs to which capability."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Side(StrEnum):
    """Who answers, or who owns."""

    LEGACY = "legacy"
    NEW = "new"


class Access(StrEnum):
    """What a route does to data."""

    READ = "read"
    WRITE = "write"


@dataclass(frozen=True)
class Upstream:
    """A side's address for a capability. ``addresses`` are (host, port) pairs; ``timeout_ms`` bounds one request."""

    name: str
    addresses: tuple[tuple[str, int], ...]
    timeout_ms: int = 15_000


@dataclass(frozen=True)
class Route:
    """A method and a path template (``/api/items/{id}``; one braced name matches one path segment)."""

    capability: str
    method: str
    path: str
    access: Access
    idempotent: bool = False  # a write that may be sent twice; only then may it fall back

    @property
    def name(self) -> str:
        return f"{self.method} {self.path}"


@dataclass(frozen=True)
class RouteTable:
    """All routes of all capabilities; whatever none of them matches goes to ``legacy``."""

    legacy: Upstream
    new: dict[str, Upstream]  # by capability
    routes: tuple[Route, ...]


class RouteTableError(ValueError):
    """A table that must not be sent; ``problems`` names the routes."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


def check(table: RouteTable) -> list[str]:
    """What is wrong with the table, one sentence each naming the routes; empty when nothing is."""
    raise NotImplementedError
