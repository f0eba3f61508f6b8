"""Rows of the envelope as text for LOAD DATA: tabs, newlines, backslash escapes, ``\\N`` for NULL.

Pure, and the hottest Python there is here: it works column by column, because most columns need nothing done to them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from cdc.event import Row

_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\0": "\\0"})
_NULL = "\\N"


class MissingColumn(ValueError):
    """A row lacks a column that the mapping needs."""

    def __init__(self, column: str) -> None:
        super().__init__(f"the event has no column {column}")
        self.column = column


def load_text(rows: Sequence[Row], columns: Sequence[str]) -> bytes:
    """``rows`` as LOAD DATA's text in the order of ``columns``; empty for no rows.

    Raises MissingColumn when a row lacks a column, TypeError for a value that is neither text, number, truth nor null.
    """
    if not rows:
        return b""
    try:
        cells = [_column([row[column] for row in rows]) for column in columns]
    except KeyError as error:
        raise MissingColumn(str(error.args[0])) from None
    return ("\n".join(map("\t".join, zip(*cells, strict=True))) + "\n").encode("utf-8")


def _column(values: list[Any]) -> list[str]:
    kinds = set(map(type, values))
    if kinds == {str}:
        return _strings(values)
    if kinds == {int}:
        return list(map(str, values))
    texts = {kind: _cell(kind) for kind in kinds}
    return [texts[type(value)](value) for value in values]


def _strings(values: list[str]) -> list[str]:
    together = "".join(values)
    if "\\" in together or "\t" in together or "\n" in together or "\0" in together:
        return [value.translate(_ESCAPES) for value in values]
    return values


def _cell(kind: type) -> Callable[[Any], str]:
    if kind is str:
        return _escaped
    if kind is int or kind is float:
        return repr
    if kind is bool:
        return _truth
    if kind is type(None):
        return _null
    raise TypeError(f"a value of the JSON type {kind.__name__} has no place in a column")


def _escaped(value: str) -> str:
    return value.translate(_ESCAPES)


def _truth(value: bool) -> str:
    return "1" if value else "0"


def _null(_: None) -> str:
    return _NULL
