"""How the value of each legacy column type travels: as the envelope's JSON, or as text selected by the copy.

Both end in a column of the same type in a staging table, loaded by ``LOAD DATA`` through a user variable. A type that
is not in the table below is refused by name; there is no silent third way.

The envelope's types are those of Debezium with decimals as strings, unsigned BIGINT as numbers, times in milli- or
microseconds ("adaptive_time_microseconds") and binary values in base64.
"""

from __future__ import annotations

from dataclasses import dataclass

from cdc.schema import Column

# Escapes what LOAD DATA takes for syntax. In binary collation: bytes, not letters, are replaced, and nothing can clash.
_ESCAPED = (
    "REPLACE(REPLACE(REPLACE(REPLACE(CONVERT({c} USING utf8mb4) COLLATE utf8mb4_bin,"
    " '\\\\', '\\\\\\\\'), '\\t', '\\\\t'), '\\n', '\\\\n'), '\\0', '\\\\0')"
)
_FLOAT_MAX = "3.4028234663852886e38"
_EPOCH = "'1970-01-01 00:00:00'"


@dataclass(frozen=True)
class Conversion:
    """``envelope`` and ``copied`` make the column's value of ``{v}``, a user variable; None: the text as it is.
    ``select`` makes the copy's text of ``{c}``, the quoted column. ``staged`` is the column's type in staging."""

    staged: str
    select: str = "{c}"
    envelope: str | None = None
    copied: str | None = None


class Unsupported(ValueError):
    """A column type that can't be carried over."""


def conversion(column: Column) -> Conversion:
    """Raises Unsupported for types that have no conversion."""
    kind, full = column.type, column.full_type
    if kind in ("tinyint", "smallint", "mediumint", "int", "bigint", "decimal"):
        return Conversion(full)
    if kind == "float":
        # Bare, FLOAT is printed with six digits; the envelope's shortest text of the largest is a little above it.
        return Conversion(
            full, select="({c} + 0e0)", envelope=f"GREATEST(-{_FLOAT_MAX}, LEAST({_FLOAT_MAX}, {{v}} + 0e0))"
        )
    if kind == "double":
        return Conversion(full)
    if column.is_json:
        return Conversion("json" if kind == "json" else full, select=_ESCAPED)
    if kind in ("char", "varchar", "tinytext", "text", "mediumtext", "longtext", "enum", "set"):
        charset = f" CHARACTER SET {column.charset} COLLATE {column.collation}" if column.charset else ""
        # the envelope marks a comma inside an ENUM's member with a backslash
        unmarked = r"REPLACE({v}, '\\,', ',')" if any("," in member for member in _members(column)) else None
        return Conversion(full + charset, select=_ESCAPED, envelope=unmarked)
    if kind in ("binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob"):
        return Conversion(full, select="HEX({c})", envelope="FROM_BASE64({v})", copied="UNHEX({v})")
    if kind == "date":
        return Conversion(full, envelope="DATE_ADD('1970-01-01', INTERVAL {v} DAY)")
    if kind == "datetime":
        # precision 0-3 comes in milliseconds, 4-6 in microseconds
        micros = "{v}" if (column.precision or 0) > 3 else "{v} * 1000"
        return Conversion(full, envelope=f"DATE_ADD({_EPOCH}, INTERVAL ({micros}) MICROSECOND)")
    if kind == "timestamp":
        return Conversion(full, envelope="TRIM(TRAILING 'Z' FROM {v})")
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


def _members(column: Column) -> tuple[str, ...]:
    """Of an ENUM or SET. Raises Unsupported for members that the engine spoils on their way (seen with 3.5.0: it reads
    letters outside ASCII from SHOW CREATE TABLE as other ones, and adds backslashes)."""
    spoilt = [member for member in column.members if not member.isascii() or "\\" in member]
    if spoilt:
        raise Unsupported(
            f"column {column.name} is {column.type.upper()} with the member {spoilt[0]!r}: streams can only carry"
            " members of ASCII letters without backslashes"
        )
    return column.members
