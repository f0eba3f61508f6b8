"""Does a mapping fit the two schemas? Asked before the first row is copied, so that nothing arrives bent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from cdc.database import Database
from cdc.mapping import CapabilityMapping


@dataclass(frozen=True)
class MappingProblem:
    """One thing wrong with a mapping. ``table`` is the new side's table as in the mapping, ``column`` the mapped column
    (None: the table as a whole), ``fix`` a sentence or expression that mends it. A ``warning`` may go on."""

    table: str
    column: str | None
    message: str
    fix: str
    severity: Literal["error", "warning"] = "error"

    def __str__(self) -> str:
        where = self.table if self.column is None else f"{self.table}.{self.column}"
        return f"{where}: {self.message}: {self.fix}" if self.fix else f"{where}: {self.message}"


def check_capability(mapping: CapabilityMapping, source: Database, target: Database) -> list[MappingProblem]:
    """All problems of the mapping against the schemas of both servers, in the mapping's order; empty when it fits.

    Reads information_schema and evaluates the expressions over no rows; needs SELECT only and writes nothing. Raises
    pymysql.err.OperationalError when a server can't be reached.
    """
    raise NotImplementedError
