"""How the value of each legacy column type travels: as the envelope's JSON, or as text selected by the copy.

Both end in a column of the same type in a staging table, loaded by ``LOAD DATA`` through a user variable. A type that
is not in the table below is refused by name; there is no silent third way.

The envelope's types are those of Debezium with decimals as strings, unsigned BIGINT as numbers, times in milli- or
microseconds ("adaptive_time_microseconds") and binary values in base64.
"""

from __future__ import annotations

from dataclasses import dataclass

from cdc import doubt
from cdc.doubt import Doubt, Reason
from cdc.schema import Column

# Escapes what LOAD DATA takes for syntax. In binary collation: bytes, not letters, are replaced, and nothing can clash.
_ESCAPED = (
    "REPLACE(REPLACE(REPLACE(REPLACE(CONVERT({c} USING utf8mb4) COLLATE utf8mb4_bin,"
    " '\\\\', '\\\\\\\\'), '\\t', '\\\\t'), '\\n', '\\\\n'), '\\0', '\\\\0')"
)
# Character sets that Java reads as the servers do, but for bytes that it has no letter for (compared letter by letter).
_ALIKE = frozenset(
    {
        *("latin1", "latin2", "latin5", "latin7", "cp1250", "cp1251", "cp1257", "cp850", "cp852", "koi8r"),
        *("cp932", "gb2312"),
    }
)
_UNICODE = frozenset({"utf8mb4", "utf8mb3", "utf8", "ucs2", "utf16", "utf16le", "utf32", "ascii"})
# Those that the engine ends at: Java's runtime has no such thing.
_UNKNOWN = frozenset({"cp1256", "macce", "macroman"})
_ZERO_TIMESTAMP = "1970-01-01T00:00:00Z"  # no TIMESTAMP is so early
_FLOAT_MAX = "3.4028234663852886e38"
_EPOCH = "'1970-01-01 00:00:00'"


@dataclass(frozen=True)
class Conversion:
    """``envelope`` and ``copied`` make the column's value of ``{v}``, a user variable; None: the text as it is.
    ``select`` makes the copy's text of ``{c}``, the quoted column. ``staged`` is the column's type in staging.
    ``doubt`` says which values of the envelope are to be read again at the source first."""

    staged: str
    select: str = "{c}"
    envelope: str | None = None
    copied: str | None = None
    doubt: Doubt | None = None


class Unsupported(ValueError):
    """A column type that can't be carried over. ``fix`` is a sentence that says what to do."""

    def __init__(self, message: str, fix: str = "leave the column out of the mapping") -> None:
        super().__init__(message)
        self.fix = fix


def conversion(column: Column) -> Conversion:
    """Raises Unsupported for types that have no conversion."""
    kind, full = column.type, column.full_type
    if kind in ("tinyint", "smallint", "mediumint", "int", "bigint", "decimal"):
        return Conversion(full)
    if kind == "float":
        # Bare, FLOAT is printed with six digits; the envelope's shortest text of the largest is a little above it.
        # Times one, for zero added would make 0 of -0.
        return Conversion(
            full, select="({c} * 1e0)", envelope=f"GREATEST(-{_FLOAT_MAX}, LEAST({_FLOAT_MAX}, {{v}} * 1e0))"
        )
    if kind == "double":
        return Conversion(full)
    if column.is_json:
        if kind != "json":  # MariaDB's, which is text
            return Conversion(full, select=_ESCAPED)
        return Conversion("json", select=_ESCAPED, doubt=Doubt(Reason.DOCUMENT, "CONVERT({c} USING utf8mb4)"))
    if kind in ("enum", "set"):
        # the engine has members as they stand in CREATE TABLE, and marks their commas with a backslash
        marked = any("," in member or "\\" in member for member in column.members)
        unmarked = r"REPLACE(REPLACE({v}, '\\,', ','), '\\\\', '\\')" if marked else None
        return Conversion(full + _charset(column), select=_ESCAPED, envelope=unmarked)
    if kind in ("char", "varchar", "tinytext", "text", "mediumtext", "longtext"):
        return _text(column)
    if kind == "uuid":
        return Conversion(full, select="CONCAT({c})", doubt=Doubt(Reason.ALWAYS, "CONCAT({c})"))
    if kind in ("binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob"):
        return Conversion(full, select="HEX({c})", envelope="FROM_BASE64({v})", copied="UNHEX({v})")
    if kind == "date":
        return _dated(column, "DATE_ADD('1970-01-01', INTERVAL {v} DAY)")
    if kind == "datetime":
        # precision 0-3 comes in milliseconds, 4-6 in microseconds
        # (cast: text times a number is a double, which has too few digits for the years from 2255 on)
        micros = "CAST({v} AS SIGNED)" + ("" if (column.precision or 0) > 3 else " * 1000")
        return _dated(column, f"DATE_ADD({_EPOCH}, INTERVAL ({micros}) MICROSECOND)")
    if kind == "timestamp":
        zero = "'0000-00-00 00:00:00'"
        return Conversion(full, envelope=f"IF({{v}} = '{_ZERO_TIMESTAMP}', {zero}, TRIM(TRAILING 'Z' FROM {{v}}))")
    if kind == "time":
        # times, not divided by: a division keeps four decimals on MariaDB
        return Conversion(full, envelope="SEC_TO_TIME(CAST({v} AS DECIMAL(20,0)) * 0.000001)")
    if kind == "year":
        # the envelope has 1900, which no YEAR can be, for 0000; and as text, 0 would become 2000
        return Conversion(full, envelope="IF({v} = 1900, 0, CAST({v} AS UNSIGNED))")
    if kind == "bit":
        whole = "CAST({v} AS UNSIGNED)"
        little_endian = "CAST(CONV(HEX(REVERSE(FROM_BASE64({v}))), 16, 10) AS UNSIGNED)"
        return Conversion(full, "({c} + 0)", whole if (column.precision or 1) == 1 else little_endian, whole)
    raise Unsupported(f"column {column.name} is {column.full_type.upper()}, a type that streams can't carry")


def _charset(column: Column) -> str:
    return f" CHARACTER SET {column.charset} COLLATE {column.collation}" if column.charset else ""


def _text(column: Column) -> Conversion:
    staged, charset = column.full_type + _charset(column), column.charset
    if charset is None or charset in _UNICODE:
        return Conversion(staged, select=_ESCAPED)
    if charset in _ALIKE:
        again = Doubt(Reason.LETTER, "CONVERT({c} USING utf8mb4)")
        return Conversion(staged, select=_ESCAPED, doubt=again)
    if charset in _UNKNOWN:
        raise Unsupported(
            f"column {column.name} is text in {charset}, a character set that the engine can't read",
            f"MODIFY {column.name} {column.full_type} CHARACTER SET utf8mb4, or leave the column out of the mapping",
        )
    again = Doubt(Reason.CHARSET, "HEX({c})", ascii=charset != "swe7")
    return Conversion(staged, "HEX({c})", "UNHEX({v})", "UNHEX({v})", again)


def _dated(column: Column, envelope: str) -> Conversion:
    if not column.zeros:
        return Conversion(column.full_type, envelope=envelope)
    text = "IF({v} LIKE '____-__-__%', {v}, " + envelope + ")"
    return Conversion(column.full_type, envelope=text, doubt=doubt.of_dates(column))
