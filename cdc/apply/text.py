"""Rows of the envelope as text for LOAD DATA: tabs, newlines, backslash escapes, ``\\N`` for NULL.

Pure, and the hottest Python there is here. It works column by column, because most columns need nothing done to them,
and on a few rows at a time, so that they stay in the processor's cache.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from operator import itemgetter
from typing import Any

from cdc.event import Row

_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\0": "\\0"})
_NULL = "\\N"
_ROWS_AT_ONCE = 512


class MissingColumn(ValueError):
    """A row lacks a column that the mapping needs."""

    def __init__(self, column: str) -> None:
        super().__init__(f"the event has no column {column}")
        self.column = column


def load_text(rows: Sequence[Row], columns: Sequence[str]) -> bytes:
    """``rows`` as LOAD DATA's text in the order of ``columns``; empty for no rows.

    Raises MissingColumn when a row lacks a column, TypeError for a value that is neither text, number, truth nor null.
    """
    get = itemgetter(*columns)
    pieces = []
    try:
        for start in range(0, len(rows), _ROWS_AT_ONCE):
            some = rows[start : start + _ROWS_AT_ONCE]
            values: Iterable[tuple[Any, ...]] = (
                zip(*map(get, some), strict=True) if len(columns) > 1 else [tuple(map(get, some))]
            )
            pieces.append(_text(list(values), len(some)))
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


def _text(columns: list[tuple[Any, ...]], rows: int) -> str:
    """Of whole columns. Joined as if nothing had to be escaped, which is nearly always right, and counted then."""
    nulls = sum(values.count(None) for values in columns)
    text = _joined([_cells(values) for values in columns])
    plain = text.count("\t") == (len(columns) - 1) * rows and text.count("\n") == rows and text.count("\\") == nulls
    if plain and "\0" not in text:
        return text
    return _joined([_escaped(values) for values in columns])


def _joined(cells: list[Sequence[str]]) -> str:
    return "\n".join(map("\t".join, zip(*cells, strict=True))) + "\n"


def _cells(values: Sequence[Any]) -> Sequence[str]:
    """Nothing is escaped yet."""
    kinds = set(map(type, values))
    if kinds == {str}:
        return values
    if kinds == {int}:
        return list(map(str, values))
    if kinds == {str, type(None)}:
        return [_NULL if value is None else value for value in values]
    texts = {kind: _cell(kind) for kind in kinds}
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
