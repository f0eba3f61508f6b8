"""Whether what an expression gives fits the column it is for: pure rules over types.

What strict mode stops loudly when it happens (a number out of range, text too long) is refused here only where it is
certain beforehand, that is for plain columns. What the server would bend without an error (rounding, cut fractions,
lost blanks) is refused whatever the expression.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from cdc.expression import ExpressionType, TypeClass, class_of
from cdc.schema import Column

_C = TypeClass
_INTEGER_DIGITS = {"tinyint": 3, "smallint": 5, "mediumint": 8, "int": 10, "bigint": 19}
_INTEGER_BITS = {"tinyint": 8, "smallint": 16, "mediumint": 24, "int": 32, "bigint": 64}
_UNICODE = ("utf8mb4",)
# Charsets that hold all of another one's characters.
_HOLDS = {"utf8mb3": ("ascii", "latin1", "utf8", "utf8mb3"), "utf8": ("ascii", "latin1", "utf8", "utf8mb3")}


@dataclass(frozen=True)
class Misfit:
    """Why an expression doesn't fit, and what to write instead."""

    message: str
    fix: str
    severity: Literal["error", "warning"] = "error"


def misfits(expression: str, given: ExpressionType, column: Column, plain: Column | None) -> Iterator[Misfit]:
    """All reasons why ``expression``, which gives ``given``, doesn't fit ``column``.

    ``plain`` is the source column when the expression is nothing but its name.
    """
    wanted = class_of(column)
    shown = _shown(expression)
    kind = _kind(column)
    if wanted is _C.OTHER:
        yield Misfit(f"the column's type {kind} is neither copied nor compared", "leave the column out of the mapping")
        return
    if given.type_class is _C.NULL:
        if not column.nullable:
            yield Misfit(f"{shown} is always NULL, the column is NOT NULL", "give it a value, or let it be NULL")
        return
    if given.type_class is _C.OTHER:
        yield Misfit(f"{shown} gives {given.name}, which is neither copied nor compared", "leave it out of the mapping")
        return
    problem = _conversion(expression, shown, given, column, wanted, plain)
    if problem is not None:
        yield problem
        return
    if plain is None:
        return
    yield from _narrower(shown, plain, column)
    if plain.nullable and not column.nullable:
        yield Misfit(
            f"{shown} may be NULL, the column is NOT NULL: the stream would stop at the first such row",
            f"say COALESCE({expression.strip()}, ...) unless it never is",
            "warning",
        )


def _conversion(
    expression: str, shown: str, given: ExpressionType, column: Column, wanted: TypeClass, plain: Column | None
) -> Misfit | None:
    """A conversion that the server would make in silence, and not exactly."""
    sql = expression.strip()
    gives = f"{shown} gives {given.name}, the column is {_kind(column)}"
    have = given.type_class
    match wanted:
        case _C.INTEGER if (have is _C.DECIMAL and given.scale > 0) or have in (_C.FLOAT, _C.TEXT):
            return Misfit(gives, f"say CAST({sql} AS {'UNSIGNED' if column.unsigned else 'SIGNED'})")
        case _C.INTEGER if have in (_C.DATE, _C.TIME, _C.DATETIME):
            return Misfit(gives, f"say UNIX_TIMESTAMP({sql})")
        case _C.INTEGER if have in (_C.INTEGER, _C.DECIMAL, _C.YEAR, _C.BIT):
            return None
        case _C.DECIMAL if have in (_C.DECIMAL, _C.INTEGER, _C.YEAR):
            if have is _C.DECIMAL and given.scale > (column.scale or 0):
                return Misfit(f"{gives}, which cuts decimals", f"say ROUND({sql}, {column.scale}), or widen the column")
            return None
        case _C.DECIMAL if have in (_C.FLOAT, _C.TEXT):
            return Misfit(gives, f"say CAST({sql} AS DECIMAL({column.precision},{column.scale}))")
        case _C.FLOAT:
            return _into_float(sql, gives, given, column)
        case _C.TEXT:
            return _into_text(sql, gives, given, column, plain)
        case _C.BINARY if have is _C.BINARY:
            return None
        case _C.BINARY if have is _C.TEXT:
            return Misfit(gives, f"say CAST({sql} AS BINARY), or UNHEX({sql}) where it holds hexadecimal digits")
        case _C.DATE if have is _C.DATETIME:
            return Misfit(f"{gives}, which cuts the time", f"say DATE({sql})")
        case _C.DATETIME if have in (_C.DATETIME, _C.DATE):
            return _fraction(sql, gives, given, column)
        case _C.TIME if have is _C.TIME:
            return _fraction(sql, gives, given, column)
        case _C.DATE | _C.DATETIME | _C.TIME if have is _C.TEXT:
            return Misfit(gives, f"say CAST({sql} AS {_kind(column)})")
        case _C.DATETIME if have is _C.INTEGER:
            return Misfit(gives, f"say FROM_UNIXTIME({sql}) if it counts seconds")
        case _C.JSON if have in (_C.JSON, _C.TEXT):
            return None
        case _C.YEAR if have in (_C.YEAR, _C.INTEGER):
            return None
        case _C.BIT if have in (_C.BIT, _C.INTEGER):
            return None
        case _ if have is wanted:
            return None
    return Misfit(f"{gives}: values of one are not compared with the other", "convert it in the expression")


def _into_float(sql: str, gives: str, given: ExpressionType, column: Column) -> Misfit | None:
    exact_digits = 6 if column.type == "float" else 15
    if given.type_class is _C.FLOAT:
        if column.type == "float" and not given.single:
            return Misfit(f"{gives}, which cuts digits", "make the column DOUBLE")
        return None
    if given.type_class in (_C.INTEGER, _C.DECIMAL):
        if given.digits + given.scale > exact_digits:
            return Misfit(f"{gives}, which holds {exact_digits} digits exactly", "make the column DECIMAL or BIGINT")
        return None
    return Misfit(gives, f"say ({sql}) + 0e0")


def _into_text(sql: str, gives: str, given: ExpressionType, column: Column, plain: Column | None) -> Misfit | None:
    match given.type_class:
        case _C.BINARY:
            return Misfit(gives, f"say CONVERT({sql} USING utf8mb4), or HEX({sql})")
        case _C.FLOAT:
            return Misfit(f"{gives}: servers write such numbers differently", f"say CAST({sql} AS DECIMAL(..)) first")
        case _C.BIT | _C.JSON if column.type in ("enum", "set"):
            return Misfit(gives, "convert it in the expression")
        case _C.BIT:
            return Misfit(gives, f"say ({sql}) + 0")
        case _C.TEXT if column.type == "char" and plain is not None and plain.type not in ("char", "enum", "set"):
            return Misfit(f"{gives}: CHAR loses blanks at the end", f"say RTRIM({sql}), or make the column VARCHAR")
    return None


def _fraction(sql: str, gives: str, given: ExpressionType, column: Column) -> Misfit | None:
    if given.scale <= (column.precision or 0):
        return None
    return Misfit(
        f"{gives}, which rounds fractions of seconds", f"make the column {column.type.upper()}({given.scale})"
    )


def _narrower(shown: str, plain: Column, column: Column) -> Iterator[Misfit]:
    """A plain column whose values the new column can't all hold."""
    sizes = f"{shown} is {_kind(plain)}, the column is {_kind(column)}"
    kind = class_of(column)
    if kind is _C.INTEGER and class_of(plain) is _C.INTEGER:
        low, high = _span(column)
        least, most = _span(plain)
        if least < low or most > high:
            truth = f", or say {shown[1:-1]} <> 0 for a yes or no" if column.type == "tinyint" else ""
            yield Misfit(f"{sizes}, which is narrower", f"make the column {_kind(plain)}{truth}")
    if kind is _C.DECIMAL and class_of(plain) is _C.DECIMAL:
        have, room = (plain.precision or 0) - (plain.scale or 0), (column.precision or 0) - (column.scale or 0)
        if have > room:
            yield Misfit(f"{sizes}, which is narrower", f"make the column {_kind(plain)}")
    if kind in (_C.TEXT, _C.BINARY) and class_of(plain) is kind:
        yield from _narrower_text(shown, sizes, plain, column)


def _narrower_text(shown: str, sizes: str, plain: Column, column: Column) -> Iterator[Misfit]:
    if column.members:
        unknown = [member for member in plain.members if member not in column.members]
        if unknown:
            yield Misfit(f"{sizes}, which lacks {unknown[0]!r}", "add the value to the column, or map it with CASE")
        return
    if plain.length and column.length and plain.length > column.length and not plain.members:
        yield Misfit(f"{sizes}, which is narrower", f"make the column {_kind(plain)}, or say LEFT({shown[1:-1]}, ...)")
    old, new = plain.charset, column.charset
    if old and new and old != new and new not in _UNICODE and old not in _HOLDS.get(new, ("ascii",)):
        yield Misfit(
            f"{shown} is text in {old}, the column in {new}, which lacks characters of it",
            "make the column CHARACTER SET utf8mb4",
        )


def _span(column: Column) -> tuple[int, int]:
    bits = _INTEGER_BITS[column.type]
    return (0, 2**bits - 1) if column.unsigned else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)


def _kind(column: Column) -> str:
    """The column's type as people write it: without display widths, capitals."""
    if column.is_json:
        return "JSON"
    if column.type in _INTEGER_DIGITS:
        return column.type.upper() + (" UNSIGNED" if column.unsigned else "")
    if column.type in ("enum", "set"):
        return column.type.upper() + column.full_type[len(column.type) :]
    return column.full_type.upper()


def _shown(expression: str) -> str:
    text = " ".join(expression.split())
    return f"'{text if len(text) <= 60 else text[:57] + '...'}'"
