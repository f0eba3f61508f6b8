"""What a comparison found, as values; the JSON keys are a contract (``verify --json``)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

# A key or cell as people and JSON see it: numbers and words as they are, bytes as "0x..." in hexadecimal, DECIMAL,
# dates and JSON as text, NULL as None.
Value = int | float | str | None
Key = Mapping[str, Value]


@dataclass(frozen=True)
class Cell:
    """One column of one row on both sides. Equal values have equal forms."""

    legacy: Value
    new: Value


@dataclass(frozen=True)
class Difference:
    """A row that both sides have and that is not the same."""

    key: Key
    columns: Mapping[str, Cell]


@dataclass(frozen=True)
class TableResult:
    """One table of the new side. The three lists are capped (``listed_at_most``); the ``*_total`` counts are not. They
    say what was found; ``repaired`` are the keys among them that a repair made equal.

    ``in_flight`` rows looked different when first read and were equal once the stream had applied what had been
    written. ``unsettled`` rows changed faster than they could be compared: neither proven equal nor different.
    ``rows_before`` of the ``rows`` were compared by an earlier run that was interrupted.
    ``waited`` is False when there was no stream to wait for, so that rows in flight may be among the differences.
    """

    table: str
    rows: int
    seconds: float
    missing: tuple[Key, ...] = ()
    extra: tuple[Key, ...] = ()
    differing: tuple[Difference, ...] = ()
    missing_total: int = 0
    extra_total: int = 0
    differing_total: int = 0
    in_flight: int = 0
    unsettled: int = 0
    repaired: tuple[Key, ...] = ()
    waited: bool = True
    rows_before: int = 0

    @property
    def equal(self) -> bool:
        """No row is missing, extra or different (or a repair has mended each that was), and none is unsettled: what was
        never seen standing still is not known to be equal."""
        return self.differences == len(self.repaired) and not self.unsettled

    @property
    def differences(self) -> int:
        return self.missing_total + self.extra_total + self.differing_total

    @property
    def rows_per_second(self) -> float:
        return self.rows / self.seconds if self.seconds > 0 else 0.0

    def to_json(self) -> dict[str, Any]:
        return {
            "table": self.table,
            "equal": self.equal,
            "rows": self.rows,
            "rows_per_second": round(self.rows_per_second),
            "seconds": round(self.seconds, 3),
            "missing": [dict(key) for key in self.missing],
            "extra": [dict(key) for key in self.extra],
            "differing": [
                {
                    "key": dict(row.key),
                    "columns": {name: {"legacy": c.legacy, "new": c.new} for name, c in row.columns.items()},
                }
                for row in self.differing
            ],
            "missing_total": self.missing_total,
            "extra_total": self.extra_total,
            "differing_total": self.differing_total,
            "in_flight": self.in_flight,
            "unsettled": self.unsettled,
            "repaired": [dict(key) for key in self.repaired],
            "waited": self.waited,
            "rows_before": self.rows_before,
        }


@dataclass(frozen=True)
class VerifyResult:
    """All compared tables of one capability."""

    capability: str
    tables: tuple[TableResult, ...] = field(default=())

    @property
    def equal(self) -> bool:
        return all(table.equal for table in self.tables)

    @property
    def in_flight(self) -> int:
        return sum(table.in_flight for table in self.tables)

    @property
    def unsettled(self) -> int:
        return sum(table.unsettled for table in self.tables)

    @property
    def rows(self) -> int:
        return sum(table.rows for table in self.tables)

    @property
    def waited(self) -> bool:
        return all(table.waited for table in self.tables)

    def to_json(self) -> dict[str, Any]:
        return {
            "capability": self.capability,
            "equal": self.equal,
            "rows": self.rows,
            "in_flight": self.in_flight,
            "unsettled": self.unsettled,
            "waited": self.waited,
            "tables": [table.to_json() for table in self.tables],
        }


@dataclass(frozen=True)
class Progress:
    """How far the comparison of one table is. ``rows_expected`` and ``seconds_left`` are estimates. ``waiting`` says
    why no chunk is read now, in words; None while they are."""

    table: str
    rows: int
    rows_expected: int
    rows_per_second: float
    seconds_left: float | None
    waiting: str | None = None

    def to_json(self) -> dict[str, Any]:
        return {
            "table": self.table,
            "rows": self.rows,
            "rows_expected": self.rows_expected,
            "rows_per_second": round(self.rows_per_second),
            "seconds_left": None if self.seconds_left is None else round(self.seconds_left, 1),
            "waiting": self.waiting,
        }
