"""What type an SQL expression over one row of a table gives, asked of the server without reading a row."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from pymysql.constants import FIELD_TYPE, FLAG

from cdc.schema import Column
from cdc.session import Session


class TypeClass(StrEnum):
    """Types that hold the same sort of value, whatever their size."""

    INTEGER = "integer"
    DECIMAL = "decimal"
    FLOAT = "float"
    TEXT = "text"
    BINARY = "binary"
    DATE = "date"
    TIME = "time"
    DATETIME = "datetime"
    YEAR = "year"
    BIT = "bit"
    JSON = "json"
    NULL = "null"
    OTHER = "other"


@dataclass(frozen=True)
class ExpressionType:
    """``name`` is the type in words (``DECIMAL(12,2)``); ``digits`` are those before the point, ``scale`` those after
    it or of a second; ``length`` counts characters of text and bytes of binary. ``single`` is FLOAT, not DOUBLE."""

    type_class: TypeClass
    name: str
    nullable: bool
    unsigned: bool = False
    length: int | None = None
    digits: int = 0
    scale: int = 0
    single: bool = False


_INTEGERS = {
    FIELD_TYPE.TINY: ("TINYINT", 3),
    FIELD_TYPE.SHORT: ("SMALLINT", 5),
    FIELD_TYPE.INT24: ("MEDIUMINT", 8),
    FIELD_TYPE.LONG: ("INT", 10),
    FIELD_TYPE.LONGLONG: ("BIGINT", 19),
}
_STRINGS = {
    FIELD_TYPE.VARCHAR,
    FIELD_TYPE.VAR_STRING,
    FIELD_TYPE.STRING,
    FIELD_TYPE.TINY_BLOB,
    FIELD_TYPE.BLOB,
    FIELD_TYPE.MEDIUM_BLOB,
    FIELD_TYPE.LONG_BLOB,
    FIELD_TYPE.ENUM,
    FIELD_TYPE.SET,
}
_BINARY_CHARSET = 63
# DECIMAL results of expressions may say 31 or 39 for "as many as needed"; only floats mean it.
_NOT_FIXED = 31
_UTF8MB4_BYTES = 4


def describe(session: Session, table: str, expressions: Iterable[str]) -> list[ExpressionType]:
    """The types of the expressions, in order. Needs SELECT on the table only.

    Raises pymysql.err.MySQLError as the server words it for what it can't resolve or parse.
    """
    with session.cursor() as cursor:
        cursor.execute(f"SELECT {', '.join(f'({e})' for e in expressions)} FROM {quote(table)} LIMIT 0")
        # PyMySQL's public description has neither the unsigned flag nor the charset.
        return [_type(field) for field in cursor._result.fields]  # type: ignore[attr-defined]


def quote(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"


def _type(field: object) -> ExpressionType:
    code: int = field.type_code  # type: ignore[attr-defined]
    flags: int = field.flags  # type: ignore[attr-defined]
    length: int = field.length  # type: ignore[attr-defined]
    scale: int = field.scale  # type: ignore[attr-defined]
    binary = field.charsetnr == _BINARY_CHARSET  # type: ignore[attr-defined]
    nullable = not flags & FLAG.NOT_NULL
    unsigned = bool(flags & FLAG.UNSIGNED)
    suffix = " UNSIGNED" if unsigned else ""
    if code in _INTEGERS:
        name, digits = _INTEGERS[code]
        return ExpressionType(TypeClass.INTEGER, name + suffix, nullable, unsigned, digits=digits)
    if code in (FIELD_TYPE.DECIMAL, FIELD_TYPE.NEWDECIMAL):
        precision = length - (scale > 0) - (not unsigned)
        name = f"DECIMAL({precision},{scale})"
        return ExpressionType(TypeClass.DECIMAL, name, nullable, unsigned, digits=precision - scale, scale=scale)
    if code in (FIELD_TYPE.FLOAT, FIELD_TYPE.DOUBLE):
        single = code == FIELD_TYPE.FLOAT
        return ExpressionType(TypeClass.FLOAT, "FLOAT" if single else "DOUBLE", nullable, unsigned, single=single)
    if code in (FIELD_TYPE.DATETIME, FIELD_TYPE.TIMESTAMP, FIELD_TYPE.TIME):
        fraction = scale if scale < _NOT_FIXED else 6
        kind = TypeClass.TIME if code == FIELD_TYPE.TIME else TypeClass.DATETIME
        return ExpressionType(kind, f"{kind.upper()}({fraction})", nullable, scale=fraction)
    if code in (FIELD_TYPE.DATE, FIELD_TYPE.NEWDATE):
        return ExpressionType(TypeClass.DATE, "DATE", nullable)
    if code == FIELD_TYPE.YEAR:
        return ExpressionType(TypeClass.YEAR, "YEAR", nullable)
    if code == FIELD_TYPE.BIT:
        return ExpressionType(TypeClass.BIT, f"BIT({length})", nullable, length=length)
    if code == FIELD_TYPE.JSON:
        return ExpressionType(TypeClass.JSON, "JSON", nullable)
    if code == FIELD_TYPE.NULL:
        return ExpressionType(TypeClass.NULL, "NULL", True)
    if code in _STRINGS and binary:
        return ExpressionType(TypeClass.BINARY, f"VARBINARY({length})", nullable, length=length)
    if code in _STRINGS:
        characters = length // _UTF8MB4_BYTES
        return ExpressionType(TypeClass.TEXT, f"VARCHAR({characters})", nullable, length=characters)
    return ExpressionType(TypeClass.OTHER, "GEOMETRY" if code == FIELD_TYPE.GEOMETRY else f"type {code}", nullable)


_CLASS_OF = {
    **dict.fromkeys(("tinyint", "smallint", "mediumint", "int", "bigint"), TypeClass.INTEGER),
    "decimal": TypeClass.DECIMAL,
    **dict.fromkeys(("float", "double"), TypeClass.FLOAT),
    **dict.fromkeys(
        ("char", "varchar", "tinytext", "text", "mediumtext", "longtext", "enum", "set", "uuid", "inet4", "inet6"),
        TypeClass.TEXT,
    ),
    **dict.fromkeys(("binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob"), TypeClass.BINARY),
    "date": TypeClass.DATE,
    "time": TypeClass.TIME,
    **dict.fromkeys(("datetime", "timestamp"), TypeClass.DATETIME),
    "year": TypeClass.YEAR,
    "bit": TypeClass.BIT,
    "json": TypeClass.JSON,
}


def class_of(column: Column) -> TypeClass:
    """The class of a column's type; OTHER for what is neither copied nor compared (spatial types)."""
    return TypeClass.JSON if column.is_json else _CLASS_OF.get(column.type, TypeClass.OTHER)


def plain_column(expression: str, columns: Iterable[str]) -> str | None:
    """The column of which the expression is nothing but the name, quoted or not; None otherwise."""
    text = expression.strip()
    name = text[1:-1].replace("``", "`") if len(text) > 2 and text[0] == text[-1] == "`" else text
    return next((column for column in columns if column.lower() == name.lower()), None)
