"""A table's shape at one place of the stream: as the engine tells it with a schema change, as it is stored. Pure.

The server can only be asked what a table looks like now. Events that were written before a change that is already made
must be read with the types that they were written with, so the shape is kept with the position, and follows it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields, replace
from typing import Any

from cdc.schema import Column, Table, UniqueKey

_NAMES = {
    "integer": "int",
    "int4": "int",
    "int8": "bigint",
    "int1": "tinyint",
    "int2": "smallint",
    "int3": "mediumint",
    "bool": "tinyint",
    "boolean": "tinyint",
    "numeric": "decimal",
    "dec": "decimal",
    "fixed": "decimal",
    "double precision": "double",
    "real": "double",
    "float8": "double",
    "float4": "float",
    "character": "char",
    "nchar": "char",
    "national char": "char",
    "character varying": "varchar",
    "nvarchar": "varchar",
    "national varchar": "varchar",
    "long varchar": "mediumtext",
    "long varbinary": "mediumblob",
    "serial": "bigint unsigned",
    "geometrycollection": "geomcollection",
}
_ADDED = ("unsigned", "zerofill", "signed", "binary")
_SIZED = frozenset({"char", "varchar", "binary", "varbinary"})
_FRACTIONS = frozenset({"datetime", "timestamp", "time"})
_INTEGERS = ("tinyint", "smallint", "mediumint", "int", "bigint")
_TEXTS = ("tinytext", "text", "mediumtext", "longtext")
_BLOBS = ("tinyblob", "blob", "mediumblob", "longblob")
_UTF8 = {"utf8": "utf8mb3"}


def shape_of(name: str, told: Mapping[str, Any], known: Sequence[Table]) -> Table:
    """The table as the engine tells it. ``known`` is what is known of it otherwise (the server's own word of now, the
    shape before): a column that is the same there is taken from there, with its collation."""
    columns = dict[str, Column]()
    for raw in told["columns"]:
        column = _column(raw)
        columns[column.name] = _known(column, [t.columns[column.name] for t in known if column.name in t.columns])
    key = tuple(str(column) for column in told.get("primaryKeyColumnNames") or ())
    same = next((table for table in known if table.primary_key == key and table.columns.keys() == columns.keys()), None)
    if same is not None:
        return Table(name, columns, same.unique_keys, same.indexes, same.rows_about)
    return Table(name, columns, (UniqueKey("PRIMARY", key),) if key else (), (key,) if key else (), 0)


def alike(one: Column, other: Column) -> bool:
    """Whether values of the two travel the same way, NULL aside. A character set that is not known is any."""
    return _essence(one) == _essence(other) and (
        one.charset is None or other.charset is None or _charset(one.charset) == _charset(other.charset)
    )


def rewrites(old: Column, new: Column) -> bool:
    """Whether changing a column from ``old`` to ``new`` may have changed values that stand in it. False only for what
    is certainly wider."""
    if old.nullable and not new.nullable:
        return True
    if _charset(old.charset or "") != _charset(new.charset or "") and new.charset != "utf8mb4":
        return True
    if old.generated or new.generated or old.is_json != new.is_json:
        return True
    for order in (_INTEGERS, _TEXTS, _BLOBS):
        if old.type in order and new.type in order:
            return old.unsigned != new.unsigned or order.index(new.type) < order.index(old.type)
    if old.type != new.type:
        return True
    if old.members or new.members:
        return new.members[: len(old.members)] != old.members
    if old.type in _SIZED:
        padded = old.type == "binary" and old.length != new.length
        return padded or (new.length or 0) < (old.length or 0)
    if old.type == "decimal":
        return old.unsigned != new.unsigned or old.scale != new.scale or (new.precision or 0) < (old.precision or 0)
    if old.type in _FRACTIONS or old.type == "bit":
        return (new.precision or 0) < (old.precision or 0)
    return False


def to_text(table: Table) -> str:
    return json.dumps(asdict(table))


def from_text(text: str) -> Table:
    """The inverse; what another version left out or added is no matter."""
    raw = json.loads(text)
    names = {field.name for field in fields(Column)}
    columns = {name: Column(**{k: v for k, v in c.items() if k in names}) for name, c in raw["columns"].items()}
    unique = tuple(UniqueKey(key["name"], tuple(key["columns"])) for key in raw["unique_keys"])
    return Table(raw["name"], columns, unique, tuple(tuple(i) for i in raw["indexes"]), int(raw["rows_about"]))


def _column(raw: Mapping[str, Any]) -> Column:
    words = str(raw["typeName"]).lower().split()
    unsigned = "unsigned" in words or "zerofill" in words
    kind = " ".join(
        word for word in words if word not in ("unsigned", "zerofill", "signed", "binary") or len(words) == 1
    )
    kind = _NAMES.get(kind, kind)
    if kind.endswith(" unsigned"):
        kind, unsigned = kind.removesuffix(" unsigned"), True
    length, scale = _number(raw.get("length")), _number(raw.get("scale"))
    size, precision = None, None
    full = kind
    if kind in _SIZED:
        size = length if length is not None else 1
        full = f"{kind}({size})"
    elif kind == "decimal":
        precision, scale = length if length is not None else 10, scale or 0
        full = f"decimal({precision},{scale})"
    elif kind in _FRACTIONS:
        precision = length or 0
        full = f"{kind}({precision})" if precision else kind
    elif kind == "bit":
        precision = length or 1
        full = f"bit({precision})"
    elif kind in ("enum", "set"):
        full = f"{kind}({','.join(_member(value) for value in raw.get('enumValues') or ())})"
    elif kind == "float" and (length or 0) > 24 and scale is None:
        kind = full = "double"
    charset = raw.get("charsetName")
    return Column(
        name=str(raw["name"]),
        type=kind,
        full_type=full + (" unsigned" if unsigned else ""),
        nullable=bool(raw.get("optional", True)),
        has_default=bool(raw.get("hasDefaultValue")) or bool(raw.get("autoIncremented")) or bool(raw.get("optional")),
        generated=bool(raw.get("generated")),
        length=size,
        precision=precision,
        scale=scale if kind == "decimal" else None,
        charset=None if charset is None else str(charset),
        collation=None,
        is_json=kind == "json",
    )


def _known(column: Column, known: Sequence[Column]) -> Column:
    for there in known:
        # JSON of MariaDB is LONGTEXT to the server, and JSON to the engine where a statement calls it so
        json_too = there.is_json and column.type in ("json", there.type)
        if alike(there, replace(column, type=there.type, is_json=True) if json_too else column):
            # a TIMESTAMP may be NOT NULL without saying so; who says so means it
            return there if column.nullable or not there.nullable else replace(there, nullable=False)
    same = [c for c in known if c.charset and column.charset and _charset(c.charset) == _charset(column.charset)]
    if same:
        return replace(column, charset=same[0].charset, collation=same[0].collation)
    return replace(column, charset=None)  # its collation is not told: such text is staged as utf8mb4


def _essence(column: Column) -> tuple[object, ...]:
    return (
        column.type,
        column.unsigned,
        column.members,
        column.is_json,
        column.length if column.type in _SIZED else None,
        (column.precision or 0) if column.type in _FRACTIONS or column.type in ("bit", "decimal") else None,
        (column.scale or 0) if column.type == "decimal" else None,
    )


def _member(value: object) -> str:
    text = str(value)
    return text if text.startswith("'") and text.endswith("'") else "'" + text.replace("'", "''") + "'"


def _charset(name: str) -> str:
    return _UTF8.get(name.lower(), name.lower())


def _number(value: object) -> int | None:
    return None if value is None else int(str(value))
