"""Before the first row is copied: does the mapping fit the two schemas as they are now?"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pymysql
import structlog

from cdc.mapping_check import MappingProblem, check_capability
from strangler.config import ConfigError, NotRunning, Problem, Resolved
from strangler.config.positions import Key, Positions
from strangler.exits import Failed, Usage

log = structlog.get_logger()


class Preflight:
    """``check`` raises Usage naming file, line and key of every mapping error, or Failed when a database is away.
    ``resolved`` reads the mappings as they are in the file now, and may raise ConfigError."""

    def __init__(self, resolved: Callable[[], Resolved]) -> None:
        self._resolved = resolved

    async def check(self, capability: str) -> None:
        try:
            resolved = self._resolved()
        except ConfigError as error:
            raise Usage(str(error)) from error

        def ask() -> list[MappingProblem]:
            mapping = resolved.mapping(capability).forth
            return check_capability(mapping, resolved.legacy_database, resolved.capability_database(capability))

        try:
            found = await asyncio.to_thread(ask)
        except NotRunning as error:
            raise Failed(str(error)) from error
        except pymysql.err.MySQLError as error:
            lines = ["see strangler ps and strangler doctor"]
            raise Failed(f"a database of {capability} doesn't answer ({error.args[-1]})", lines) from error
        for problem in found:
            if problem.severity == "warning":
                log.warning("mapping.warning", capability=capability, problem=str(problem))
        if errors := [p for p in found if p.severity == "error"]:
            raise Usage(str(_placed(resolved, capability, errors)))


def _placed(resolved: Resolved, capability: str, errors: list[MappingProblem]) -> ConfigError:
    """With the lines of strangler.toml as it is now."""
    path = resolved.config.path
    positions = Positions.of(path.read_text(encoding="utf-8"))
    tables = resolved.config.capabilities[capability].tables

    def key(problem: MappingProblem) -> Key:
        base: Key = ("capability", capability, "tables", problem.table)
        if problem.column is None:
            return base
        part = "key" if problem.table in tables and problem.column in tables[problem.table].key else "columns"
        return (*base, part, problem.column)

    return ConfigError(
        Problem(path.name, positions.line(key(p)), ".".join(map(str, key(p))), p.message, p.fix) for p in errors
    )
