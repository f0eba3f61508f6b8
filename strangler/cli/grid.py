"""Plain tables that lose columns on the right when the terminal is narrow, but never a last column of prose. Pure."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

Row: TypeAlias = tuple[str, ...]
GAP = 3
_PROSE = 30  # the least room prose gets


@dataclass(frozen=True)
class Column:
    title: str
    right: bool = False
    prose: bool = False  # the last one: wrapped where it doesn't fit, not left out


def fitted(columns: Sequence[Column], rows: Sequence[Row], width: int) -> list[str]:
    """The header and at least one line per row, none longer than ``width``; at least the first column stays."""
    if columns[-1].prose:
        return _with_prose(columns, rows, width)
    widths = [max(len(c.title), *(len(r[i]) for r in rows), 0) for i, c in enumerate(columns)]
    shown = len(columns)
    while shown > 1 and sum(widths[:shown]) + GAP * (shown - 1) > width:
        shown -= 1
    return [
        _line(tuple(c.title for c in columns), columns, widths, shown),
        *(_line(row, columns, widths, shown) for row in rows),
    ]


def _with_prose(columns: Sequence[Column], rows: Sequence[Row], width: int) -> list[str]:
    """The columns before it give way until the prose has room; its further lines hang below its first."""
    room = min(_PROSE, max(len(text) for text in (columns[-1].title, *(row[-1] for row in rows))))
    heads = fitted(columns[:-1], [row[:-1] for row in rows], max(width - GAP - room, len(columns[0].title)))
    pad = max(len(head) for head in heads)
    lines = []
    for head, text in zip(heads, [columns[-1].title, *(row[-1] for row in rows)], strict=True):
        first, *more = textwrap.wrap(text, max(width - pad - GAP, room)) or [""]
        lines.append(f"{head:<{pad}}{' ' * GAP}{first}".rstrip())
        lines += [f"{' ' * (pad + GAP)}{line}" for line in more]
    return lines


def _line(row: Row, columns: Sequence[Column], widths: Sequence[int], shown: int) -> str:
    cells = [
        cell.rjust(w) if column.right else cell.ljust(w)
        for cell, column, w in zip(row[:shown], columns, widths, strict=False)
    ]
    return (" " * GAP).join(cells).rstrip()
