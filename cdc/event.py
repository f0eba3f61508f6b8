"""Change events: one row change in Debezium's envelope, and what else comes along in a change stream.

``parse`` turns one hand-over of the engine (a JSON array of record values) into events. Whatever it does not know is an
``EventError``: nothing is skipped because it looks strange.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec
import orjson

MARKER_SCHEMA, MARKER_TABLE = "strangler", "marker"

Row = Mapping[str, Any]


class EventError(ValueError):
    """A record that is no event known here. ``event`` is its JSON, cut short."""

    def __init__(self, message: str, record: Any) -> None:
        super().__init__(message)
        self.event = snippet(record)


class Place(NamedTuple):
    """Where in the source's binlog an event is: its transaction's GTID (None without GTIDs), and the row event."""

    gtid: str | None
    file: str
    offset: int

    def __str__(self) -> str:
        return f"{self.gtid} @ {self.file}:{self.offset}" if self.gtid else f"{self.file}:{self.offset}"


class Change(NamedTuple):
    """One row was created (``c``, ``r``), updated (``u``) or deleted (``d``). ``at`` is the record's place in its
    batch. A changed primary key arrives as a delete and a create."""

    at: int
    op: str
    schema: str
    table: str
    before: Row | None
    after: Row | None
    gtid: str | None
    file: str
    offset: int

    @property
    def place(self) -> Place:
        return Place(self.gtid, self.file, self.offset)


class Truncate(NamedTuple):
    """All rows of a table went at once."""

    at: int
    schema: str
    table: str
    place: Place


class SchemaChange(NamedTuple):
    """A table was created, altered, renamed, dropped. ``tables`` are (schema, table) pairs that the statement touched;
    ``columns`` are the columns of those that exist afterwards, ``shapes`` all that the engine knows of these tables.
    The engine does not name a table that was renamed away: ``cdc.statement`` reads that from ``ddl``, in which
    ``schema`` is meant where no other is named."""

    at: int
    ddl: str
    tables: tuple[tuple[str, str], ...]
    columns: Mapping[tuple[str, str], tuple[str, ...]]
    place: Place
    schema: str = ""
    shapes: Mapping[tuple[str, str], Row] = {}


class Marker(NamedTuple):
    """A marker row of some stream: see ``cdc.marker``."""

    at: int
    stream: str
    number: int
    gtid: str | None


class Heartbeat(NamedTuple):
    """The engine is alive and has read on; says nothing about rows."""

    at: int


Event = Change | Truncate | SchemaChange | Marker | Heartbeat


class _Source(msgspec.Struct, gc=False):
    """What is needed of an event's ``source``."""

    db: str
    table: str | None
    file: str
    pos: int
    gtid: str | None = None


class _Record(msgspec.Struct, gc=False):
    """What is needed of a row's record; the rest, which is more than half of it, is read past."""

    op: str = ""
    source: _Source | None = None
    before: dict[str, Any] | None = None
    after: dict[str, Any] | None = None


_decode = msgspec.json.Decoder(list[_Record | None]).decode
_ROW_OPS = frozenset({"c", "u", "d", "r"})


def parse(values: bytes | bytearray) -> list[Event]:
    """Events of a JSON array of record values, in order. Tombstones (null) and what the engine's own schema snapshot
    says (it describes tables as they are, nothing changed) are no events. Raises EventError."""
    pieces: list[msgspec.Raw] | None = None
    try:
        records = _decode(values)
    except (msgspec.DecodeError, UnicodeDecodeError):  # or one of them has another shape
        pieces = _pieces(values)
        records = [None] * len(pieces)
    events: list[Event] = []
    append = events.append
    for index, record in enumerate(records):
        if record is not None and record.op in _ROW_OPS and (source := record.source) is not None:
            before, after, table = record.before, record.after, source.table
            if table is not None and (before if record.op == "d" else after) is not None:
                if table == MARKER_TABLE and source.db == MARKER_SCHEMA:
                    append(_marker(index, record.op, after or before, source.gtid))
                else:
                    gtid, file, offset = source.gtid, source.file, source.pos
                    append(Change(index, record.op, source.db, table, before, after, gtid, file, offset))
                continue
        if pieces is None:
            pieces = _pieces(values)
        event = _other(index, msgspec.json.decode(pieces[index]))
        if event is not None:
            append(event)
    return events


def _pieces(values: bytes | bytearray) -> list[msgspec.Raw]:
    try:
        return _decode_pieces(values)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        start = values[:500].decode("utf-8", "replace")
        raise EventError(f"the engine handed over what is no JSON: {error}", start) from error


_decode_pieces = msgspec.json.Decoder(list[msgspec.Raw]).decode


def _other(index: int, record: Any) -> Event | None:
    if record is None:
        return None
    if not isinstance(record, dict):
        raise EventError("a record that is no JSON object", record)
    source = record.get("source")
    if "op" in record:
        return _operation(index, record, _checked(source, record))
    if "ddl" in record:
        return _schema_change(index, record, _checked(source, record))
    if record.keys() == {"ts_ms"}:
        return Heartbeat(index)
    if record.get("status") in ("BEGIN", "END") and "id" in record:
        return None  # transaction metadata: boundaries are taken from the GTIDs
    raise EventError(f"a record of an unknown kind, with the keys {sorted(record)}", record)


def _operation(index: int, record: dict[str, Any], source: dict[str, Any]) -> Event:
    op, schema, table, place = record["op"], source["db"], source["table"], _place(source)
    if op == "t":
        return Truncate(index, schema, table, place)
    if op not in _ROW_OPS:
        raise EventError(f"an unknown operation {op!r} on {schema}.{table} at {place}", record)
    before, after = record.get("before"), record.get("after")
    if (before is None and op == "d") or (after is None and op != "d"):
        raise EventError(f"an event {op!r} without its row on {schema}.{table} at {place}", record)
    if (schema, table) == (MARKER_SCHEMA, MARKER_TABLE):
        return _marker(index, op, after or before, place.gtid)
    return Change(index, op, schema, table, before, after, place.gtid, place.file, place.offset)


def _marker(index: int, op: str, row: Row | None, gtid: str | None) -> Marker:
    assert row is not None
    return Marker(index, str(row["stream"]), int(row["number"]) if op != "d" else -1, gtid)


def _schema_change(index: int, record: dict[str, Any], source: dict[str, Any]) -> SchemaChange | None:
    if (source.get("snapshot") or "false") != "false":  # null where the engine leaves a default out
        return None
    touched: list[tuple[str, str]] = []
    columns: dict[tuple[str, str], tuple[str, ...]] = {}
    shapes: dict[tuple[str, str], Row] = {}
    for change in record.get("tableChanges") or ():
        table = _table_id(change["id"], record)
        touched.append(table)
        if change.get("previousId"):
            touched.append(_table_id(change["previousId"], record))
        if change.get("table"):
            columns[table] = tuple(column["name"] for column in change["table"]["columns"])
            shapes[table] = change["table"]
    schema = str(record.get("databaseName") or source.get("db") or "")
    return SchemaChange(index, str(record["ddl"]), tuple(touched), columns, _place(source), schema, shapes)


def _table_id(text: str, record: dict[str, Any]) -> tuple[str, str]:
    """``"shop"."items"`` as Debezium writes it."""
    parts = text.replace('"', "").split(".", 1)
    if len(parts) != 2:
        raise EventError(f"a schema change names a table {text!r}", record)
    return parts[0], parts[1]


def _checked(source: Any, record: dict[str, Any]) -> dict[str, Any]:
    if not isinstance(source, dict) or "file" not in source or "pos" not in source:
        raise EventError("an event that does not say where in the binlog it is", record)
    return source


def _place(source: dict[str, Any]) -> Place:
    return Place(source.get("gtid"), str(source["file"]), int(source["pos"]))


def snippet(record: Any, length: int = 2000) -> str:
    """JSON of a record for people, cut short."""
    text = orjson.dumps(record, default=str).decode() if not isinstance(record, str) else record
    return text if len(text) <= length else text[:length] + "..."
