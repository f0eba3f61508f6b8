"""Plain tables that lose columns on the right when the terminal is narrow. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

Row: TypeAlias = tuple[str, ...]
GAP = 3


@dataclass(frozen=True)
class Column:
    title: str
    right: bool = False


def fitted(columns: Sequence[Column], rows: Sequence[Row], width: int) -> list[str]:
    """The header and one line per row, none longer than ``width``; at least the first column stays."""
    widths = [max(len(c.title), *(len(r[i]) for r in rows), 0) for i, c in enumerate(columns)]
    shown = len(columns)
    while shown > 1 and sum(widths[:shown]) + GAP * (shown - 1) > width:
        shown -= 1
    return [
        _line(tuple(c.title for c in columns), columns, widths, shown),
        *(_line(row, columns, widths, shown) for row in rows),
    ]


def _line(row: Row, columns: Sequence[Column], widths: Sequence[int], shown: int) -> str:
    cells = [
        cell.rjust(w) if column.right else cell.ljust(w)
        for cell, column, w in zip(row[:shown], columns, widths, strict=False)
    ]
    return (" " * GAP).join(cells).rstrip()
