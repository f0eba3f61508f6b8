"""Forms in which equal values have equal text, whatever type and server holds them.

A target column's type decides the form; the legacy expression and the new column are both brought into it. ``hashed``
is what a row's digest is made of, ``shown`` what keys are told apart by and people see.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Context, Decimal
from enum import StrEnum
from typing import Any

from cdc.expression import ExpressionType, TypeClass, class_of
from cdc.schema import Column
from cdc.verify.result import Value

_SHORT = frozenset({"char", "varchar", "binary", "varbinary", "enum", "set", "uuid", "inet4", "inet6"})
_EXACT = Context(prec=100_000)
_FRACTION = 6
_UNICODE = frozenset({"utf8mb4", "utf8mb3", "utf8", "ascii"})


class Size(StrEnum):
    """What a value may hold, and so how it goes into the hash."""

    WORD = "word"  # digits, dates: no separators inside
    TEXT = "text"  # anything, within the 64 KB that all such columns of a row have together
    LONG = "long"  # so much that all of a row might not fit into max_allowed_packet, where functions give NULL


@dataclass(frozen=True)
class Form:
    """The canonical form of one target column, fed by ``sql`` on one side.

    ``fetched`` forms are JSON between servers that write it differently: left out of the hash, compared as JsonText.
    ``nullable`` is each side's own and must not change what is hashed.
    """

    type_class: TypeClass
    sql: str
    size: Size
    nullable: bool
    fetched: bool = False

    @property
    def hashed(self) -> str:
        """Never NULL, and nothing that could be taken for a separator or for another column's part."""
        if self.size is Size.WORD:
            return f"COALESCE({self.sql},'-')" if self.nullable else self.sql
        if self.size is Size.TEXT:
            return f"QUOTE({self.sql})"
        return f"COALESCE(MD5({self.sql}),'-')"

    @property
    def shown(self) -> str:
        """Text or NULL, bytes as hexadecimal digits."""
        if self.type_class is TypeClass.BINARY:
            return f"HEX({self.sql})"
        return f"CONVERT({self.sql} USING utf8mb4)"


def column_form(column: Column, *, fetch_json: bool) -> Form:
    """The form of a column as the new side holds it."""
    kind = class_of(column)
    name = _quoted(column.name)
    if kind is TypeClass.TEXT:
        sql = name if column.charset in _UNICODE and column.type not in ("enum", "set") else _text(name)
        return Form(kind, sql, _size(column), column.nullable)
    if kind is TypeClass.INTEGER:
        sql = f"({name}+0)" if "zerofill" in column.full_type else name
        return Form(kind, sql, Size.WORD, column.nullable)
    if kind is TypeClass.DECIMAL:
        sql = f"CAST({name} AS {_decimal(column)})" if "zerofill" in column.full_type else name
        return Form(kind, sql, Size.WORD, column.nullable)
    if kind is TypeClass.DATETIME and column.precision == _FRACTION:
        return Form(kind, name, Size.WORD, column.nullable)
    return _form(column, kind, name, column.nullable, fetch_json)


def expression_form(
    sql: str, given: ExpressionType, column: Column, *, fetch_json: bool, plain: Column | None = None
) -> Form:
    """The form of what the legacy side gives for ``column``: cast to the column's type, as storing it would.

    ``plain`` is the legacy column that ``sql`` is nothing but the name of: where its values are written like those of
    ``column``, nothing is cast, as every function costs some 5 % of a row's time.
    """
    kind = class_of(column)
    if plain is not None and _written_alike(plain, column, kind):
        form = column_form(plain, fetch_json=fetch_json)
        return replace(form, size=_size(column) if kind is TypeClass.TEXT else form.size)
    sql = f"({sql})"
    # Whether an expression can be NULL is not asked: a NULL for a NOT NULL column has to be told from an empty text.
    if kind is TypeClass.TEXT:
        text = f"LOWER({_text(sql)})" if column.type in ("uuid", "inet4", "inet6") else _text(sql)
        return Form(kind, text, _size(column), column.nullable or given.nullable)
    if kind is TypeClass.INTEGER:
        whole = f"{sql}" if given.type_class is TypeClass.INTEGER else f"CAST({sql} AS {_integer(column)})"
        return Form(kind, f"({whole}+0)", Size.WORD, column.nullable or given.nullable)
    if kind is TypeClass.DECIMAL:
        return Form(kind, f"CAST({sql} AS {_decimal(column)})", Size.WORD, column.nullable or given.nullable)
    if kind is TypeClass.BINARY and column.type == "binary":
        sql = _padded(sql, given, column.length or 0)
    return _form(column, kind, sql, column.nullable or given.nullable, fetch_json)


def _written_alike(legacy: Column, column: Column, kind: TypeClass) -> bool:
    """Whether equal values of the two have equal text as they come."""
    if class_of(legacy) is not kind:
        return False
    if kind is TypeClass.TEXT:
        lowered = {"uuid", "inet4", "inet6"}
        return legacy.type == column.type or not {legacy.type, column.type} & lowered
    if kind is TypeClass.DECIMAL:
        return (legacy.precision, legacy.scale) == (column.precision, column.scale)
    return kind in (TypeClass.INTEGER, TypeClass.DATETIME, TypeClass.FLOAT)


def _form(column: Column, kind: TypeClass, sql: str, nullable: bool, fetch_json: bool) -> Form:
    """Types whose form is made the same way on both sides."""
    if kind in (TypeClass.BIT, TypeClass.YEAR):
        return Form(kind, f"({sql}+0)", Size.WORD, nullable)
    if kind is TypeClass.FLOAT:
        # A FLOAT shows six digits; as a DOUBLE it shows all of them. Adding zero also makes -0 into 0, which are equal.
        return Form(kind, f"({sql}+0e0)", Size.WORD, nullable)
    if kind is TypeClass.DATETIME:
        return Form(kind, f"CAST({sql} AS DATETIME({_FRACTION}))", Size.WORD, nullable)
    if kind is TypeClass.TIME:
        return Form(kind, f"CAST({sql} AS TIME({_FRACTION}))", Size.WORD, nullable)
    if kind is TypeClass.DATE:
        return Form(kind, f"CAST({sql} AS DATE)", Size.WORD, nullable)
    if kind is TypeClass.BINARY:
        return Form(kind, sql, _size(column), nullable)
    if kind is TypeClass.JSON:
        if fetch_json:
            return Form(kind, sql, Size.LONG, nullable, fetched=True)
        return Form(kind, _text(f"CAST({sql} AS JSON)"), Size.LONG, nullable)
    raise ValueError(f"column {column.name} has type {column.full_type}, which can't be compared")


def literal(column: Column, text: str) -> str:
    """A shown form as an SQL literal that compares exactly with ``column``. ``text`` came from a server."""
    kind = class_of(column)
    if kind is TypeClass.BINARY:
        return f"x'{text}'"
    if kind in (TypeClass.INTEGER, TypeClass.DECIMAL, TypeClass.BIT, TypeClass.YEAR):
        return str(Decimal(text))
    if kind is TypeClass.FLOAT:
        return repr(float(text))
    return quoted_text(text)


def place_of(row: Mapping[str, Any], columns: Sequence[Column]) -> tuple[str, ...] | None:
    """A key's values, as change events hold them, as literals; None for types that events write in other ways (times,
    bytes, bits)."""
    place = []
    for column in columns:
        value, kind = row.get(column.name), class_of(column)
        if value is None or kind not in (TypeClass.INTEGER, TypeClass.DECIMAL, TypeClass.TEXT):
            return None
        place.append(literal(column, str(value)))
    return tuple(place)


def quoted_text(text: str) -> str:
    """Hexadecimal, so that it means the same in every SQL mode."""
    return f"_utf8mb4 x'{text.encode().hex()}'" if text else "''"


def presented(kind: TypeClass, text: str | None) -> Value:
    """A shown form as people and JSON see it."""
    if text is None:
        return None
    if kind in (TypeClass.INTEGER, TypeClass.BIT, TypeClass.YEAR):
        return int(text)
    if kind is TypeClass.FLOAT:
        return float(text)
    if kind is TypeClass.BINARY:
        return f"0x{text}"
    return text


class JsonText(str):
    """JSON as a server wrote it, equal to other JSON that means the same: keys in any order, numbers by value."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, str):
            return NotImplemented
        return str.__eq__(self, other) or normalised(self) == normalised(other)

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return hash(normalised(self))


def normalised(text: str) -> str:
    """Keys sorted, numbers as the shortest text of their value. What is no JSON stays as it is."""
    try:
        value = json.loads(text, parse_float=Decimal, parse_int=Decimal)
    except ValueError:
        return str(text)
    return _json_text(value)


def _json_text(value: Any) -> str:
    if isinstance(value, dict):
        return (
            "{" + ", ".join(f"{json.dumps(k, ensure_ascii=False)}: {_json_text(value[k])}" for k in sorted(value)) + "}"
        )
    if isinstance(value, list):
        return "[" + ", ".join(_json_text(item) for item in value) + "]"
    if isinstance(value, Decimal):
        return str(value.normalize(_EXACT)) if value else "0"
    return json.dumps(value, ensure_ascii=False)


def _size(column: Column) -> Size:
    return Size.TEXT if column.type in _SHORT else Size.LONG


def _quoted(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"


def _padded(sql: str, given: ExpressionType, length: int) -> str:
    """With zero bytes at its end, as BINARY(n) stores it; what is too long stays, and so stays different."""
    if given.length is not None and given.length <= length:
        return f"CAST({sql} AS BINARY({length}))"
    return f"RPAD({sql},GREATEST(LENGTH({sql}),{length}),0x00)"


def _text(sql: str) -> str:
    return f"CONVERT({sql} USING utf8mb4)"


def _integer(column: Column) -> str:
    return "UNSIGNED" if column.unsigned else "SIGNED"


def _decimal(column: Column) -> str:
    return f"DECIMAL({column.precision},{column.scale})"
