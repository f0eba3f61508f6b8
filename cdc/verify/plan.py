"""How one mapped table is compared: what each side selects, and whether ranges of keys match on both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cdc.expression import ExpressionType, TypeClass, class_of, plain_column, quote
from cdc.mapping import TableMapping
from cdc.schema import Column, Table
from cdc.server import Server
from cdc.verify.canonical import Form, column_form, expression_form
from cdc.verify.errors import VerifyError

_MYSQL_8 = (8, 0, 0)  # the first whose bit functions take binary strings


@dataclass(frozen=True)
class SidePlan:
    """One side of one table. ``keys`` and ``columns`` hold a form per mapped target column, ``matches`` what a key
    literal is compared with (an index serves it where it is a plain column).

    ``walk`` are the columns by whose order the table is read in chunks, as SQL, and ``walk_columns`` their types.
    ``wide`` digests have 128 bits: only MySQL's BIT_XOR takes them.
    """

    table: str
    where: str | None
    keys: tuple[Form, ...]
    columns: tuple[Form, ...]
    matches: tuple[str, ...]
    walk: tuple[str, ...]
    walk_columns: tuple[Column, ...]
    wide: bool = False

    @property
    def walk_forms(self) -> tuple[Form, ...]:
        return tuple(column_form(column, fetch_json=False) for column in self.walk_columns)

    @property
    def fetched(self) -> bool:
        """Some column can't be compared in SQL."""
        return any(form.fetched for form in self.columns)

    @property
    def digest(self) -> str:
        """One row's MD5, all of it (``wide``) or its first half.

        A chunk that differs is missed when the XOR of its digests is the same all the same: one chance in 2^128, or in
        2^64 (5 in 10^20), for each such chunk, as MD5 spreads values that nobody chose by it evenly. Who may choose
        many rows at will could make sums alike (Bellare and Micciancio, "A New Paradigm for Collision-free Hashing",
        1997, on XOR); a comparison is no defence against that. Not CRC32: it is linear, so two rows that swapped
        values would cancel out.
        """
        forms = ",".join(form.hashed for form in (*self.keys, *self.columns) if not form.fetched)
        md5 = f"MD5(CONCAT_WS(',',{forms}))"
        if self.wide:
            return f"UNHEX({md5})"
        # The cast stands outside: without it, or around a COALESCE with a number, half of all values are cut to 2^63-1.
        return f"CAST(COALESCE(CONV(LEFT({md5},16),16,10),'0') AS UNSIGNED)"

    @property
    def key_hash(self) -> str:
        """32 bits of the key alone."""
        return f"CRC32(CONCAT_WS(',',{','.join(form.hashed for form in self.keys)}))"


@dataclass(frozen=True)
class TablePlan:
    """``ranges`` is True when a range of the legacy table's walk is the same range of the new table's walk."""

    table: str
    key_columns: tuple[Column, ...]
    value_columns: tuple[Column, ...]
    legacy: SidePlan
    new: SidePlan
    ranges: bool
    rows_about: int

    @property
    def rowwise(self) -> bool:
        """Whether digests have to be fetched row by row, as no checksum in SQL covers all columns."""
        return self.legacy.fetched


def plan_table(
    mapping: TableMapping,
    legacy: Table,
    new: Table,
    types: Sequence[ExpressionType],
    legacy_server: Server,
    new_server: Server,
) -> TablePlan:
    """``types`` are those of ``mapping.expressions`` on the legacy server, in order.

    Raises VerifyError for what can't be compared; ``cdc.mapping_check`` says all of it earlier and in more words.
    """
    named = {}
    for name in mapping.expressions:
        column = next((c for c in new.columns.values() if c.name.lower() == name.lower()), None)
        if column is None:
            raise VerifyError(f"{new.name}: the mapping names column {name}, which the table doesn't have")
        if class_of(column) is TypeClass.OTHER:
            raise VerifyError(f"{new.name}.{name}: type {column.full_type} can't be compared")
        named[name] = column
    for table, side in ((legacy, "legacy"), (new, "new")):
        if not table.walk_key:
            raise VerifyError(f"table {table.name} of the {side} side has no primary key to compare by: give it one")
        floating = [c for c in table.walk_key if class_of(table.columns[c]) is TypeClass.FLOAT]
        if floating:
            raise VerifyError(f"{table.name}.{floating[0]}: a key of floating-point numbers can't be walked exactly")
    fetch_json = legacy_server.flavour is not new_server.flavour or legacy_server.mariadb
    old: dict[str, Form] = {}
    fresh: dict[str, Form] = {}
    for (name, expression), given in zip(mapping.expressions.items(), types, strict=True):
        plain = plain_column(expression, legacy.columns)
        column = None if plain is None else legacy.columns[plain]
        old[name] = expression_form(expression, given, named[name], fetch_json=fetch_json, plain=column)
        fresh[name] = column_form(named[name], fetch_json=fetch_json)
    same_text = legacy_server.flavour is new_server.flavour
    wide = min(legacy_server.version, new_server.version) >= _MYSQL_8 and not fetch_json
    images = _key_images(mapping, legacy, new, same_text)
    new_walk = images or new.walk_key
    return TablePlan(
        table=mapping.table,
        key_columns=tuple(named[name] for name in mapping.key),
        value_columns=tuple(named[name] for name in mapping.columns),
        legacy=SidePlan(
            legacy.name,
            mapping.where,
            tuple(old[name] for name in mapping.key),
            tuple(old[name] for name in mapping.columns),
            tuple(_match(mapping.key[name], old[name], named[name], legacy) for name in mapping.key),
            tuple(quote(name) for name in legacy.walk_key),
            tuple(legacy.columns[name] for name in legacy.walk_key),
            wide,
        ),
        new=SidePlan(
            new.name,
            None,
            tuple(fresh[name] for name in mapping.key),
            tuple(fresh[name] for name in mapping.columns),
            tuple(quote(named[name].name) for name in mapping.key),
            tuple(quote(name) for name in new_walk),
            tuple(new.columns[name] for name in new_walk),
            wide,
        ),
        ranges=images is not None,
        rows_about=max(legacy.rows_about, new.rows_about),
    )


def _match(expression: str, form: Form, target: Column, legacy: Table) -> str:
    """What a key literal is compared with: the column where an index may serve it, else the form itself."""
    name = plain_column(expression, legacy.columns)
    if name is None:
        return form.sql
    column = legacy.columns[name]
    padded = target.type == "binary" and (column.type, column.length) != (target.type, target.length)
    return form.sql if padded or class_of(column) is not class_of(target) else quote(name)


def _key_images(mapping: TableMapping, legacy: Table, new: Table, same_text: bool) -> tuple[str, ...] | None:
    """The new table's columns that hold the legacy walk key unchanged and in the same order of values, led by an index.

    None when there are none: then ranges of one side say nothing about the other.
    """
    images = []
    for name in legacy.walk_key:
        image = next((t for t, e in mapping.key.items() if plain_column(e, legacy.columns) == name), None)
        if image is None:
            return None
        column = next(c for c in new.columns.values() if c.name.lower() == image.lower())
        if not _same_order(legacy.columns[name], column, same_text):
            return None
        images.append(column.name)
    led = any(index[: len(images)] == tuple(images) for index in new.indexes)
    return tuple(images) if led else None


def _same_order(legacy: Column, new: Column, same_text: bool) -> bool:
    kind = class_of(new)
    if class_of(legacy) is not kind or legacy.type in ("enum", "set") or new.type in ("enum", "set"):
        return False
    if kind is TypeClass.TEXT:
        plain = {"char", "varchar", "tinytext", "text", "mediumtext", "longtext"}
        return same_text and legacy.collation == new.collation and legacy.type in plain and new.type in plain
    if kind is TypeClass.BINARY:
        # Padding makes other bytes, and so other bounds, of the same value.
        return (legacy.type, legacy.length) == (new.type, new.length) or "binary" not in (legacy.type, new.type)
    return kind in (TypeClass.INTEGER, TypeClass.DECIMAL, TypeClass.DATE, TypeClass.DATETIME, TypeClass.TIME)
