"""Rows of the envelope as text for LOAD DATA: tabs, newlines, backslash escapes, ``\\N`` for NULL.

Pure, and the hottest Python there is here. It works on a few rows at a time, so that they stay in the processor's
cache: as if nothing in them had to be escaped, which is nearly always right and counted afterwards; else by columns.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import chain
from operator import itemgetter
from typing import Any

from cdc.event import Row

_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\0": "\\0"})
_NULL = "\\N"
_ROWS_AT_ONCE = 256
_WRITTEN_DOWN = frozenset({str, int, float, type(None)})


class MissingColumn(ValueError):
    """A row lacks a column that the mapping needs."""

    def __init__(self, column: str) -> None:
        super().__init__(f"the event has no column {column}")
        self.column = column


def load_text(rows: Sequence[Row], columns: Sequence[str]) -> bytes:
    """``rows`` as LOAD DATA's text in the order of ``columns``; empty for no rows.

    Raises MissingColumn when a row lacks a column, TypeError for a value that is neither text, number, truth nor null.
    """
    get: Callable[[Row], tuple[Any, ...]]
    get = itemgetter(*columns) if len(columns) > 1 else lambda row: (row[columns[0]],)
    pieces = []
    try:
        for start in range(0, len(rows), _ROWS_AT_ONCE):
            values = tuple(map(get, rows[start : start + _ROWS_AT_ONCE]))
            pieces.append(_plain(values) or _text(list(zip(*values, strict=True))))
    except KeyError as error:
        raise MissingColumn(str(error.args[0])) from None
    return "".join(pieces).encode("utf-8")


def copied_text(rows: Sequence[Row], columns: Sequence[str]) -> bytes:
    """As ``load_text``, of rows whose values are the copy's own texts already. Raises MissingColumn."""
    try:
        lines = ["\t".join(_NULL if row[name] is None else str(row[name]) for name in columns) for row in rows]
    except KeyError as error:
        raise MissingColumn(str(error.args[0])) from None
    return ("\n".join(lines) + "\n").encode("utf-8")


def _plain(rows: Sequence[tuple[Any, ...]]) -> str | None:
    """None where more is to be done than to write values down."""
    cells = tuple(chain.from_iterable(rows))
    kinds, nulls, width = set(map(type, cells)), 0, len(rows[0])
    if not kinds <= _WRITTEN_DOWN:
        return None
    if type(None) in kinds:
        nulls, cells = cells.count(None), tuple([_NULL if cell is None else cell for cell in cells])
    text = (("%s\t" * (width - 1) + "%s\n") * len(rows)) % cells
    plain = text.count("\t") == (width - 1) * len(rows) and text.count("\n") == len(rows)
    return text if plain and text.count("\\") == nulls and "\0" not in text else None


def _text(columns: list[tuple[Any, ...]]) -> str:
    return _joined([_escaped(values) for values in columns])


def _joined(cells: list[Sequence[str]]) -> str:
    return "\n".join(map("\t".join, zip(*cells, strict=True))) + "\n"


def _cells(values: Sequence[Any]) -> Sequence[str]:
    """Nothing is escaped yet."""
    texts = {kind: _cell(kind) for kind in set(map(type, values))}
    return [texts[type(value)](value) for value in values]


def _escaped(values: Sequence[Any]) -> Sequence[str]:
    pairs = zip(values, _cells(values), strict=True)
    return [value.translate(_ESCAPES) if type(value) is str else cell for value, cell in pairs]


def _cell(kind: type) -> Callable[[Any], str]:
    if kind is str:
        return str
    if kind is int or kind is float:
        return repr
    if kind is bool:
        return _truth
    if kind is type(None):
        return _null
    raise TypeError(f"a value of the JSON type {kind.__name__} has no place in a column")


def _truth(value: bool) -> str:
    return "1" if value else "0"


def _null(_: None) -> str:
    return _NULL
