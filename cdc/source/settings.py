"""Debezium's settings for one stream. The same for every hosting; pure."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

from cdc.database import Database
from cdc.event import MARKER_SCHEMA, MARKER_TABLE
from cdc.server import Flavour

POLL_MS = 10
# Small: what waits in the engine is copied by each collection of Java's garbage, and larger ones gain nothing.
BATCH_RECORDS = 1024
QUEUE_RECORDS = 2048
QUEUE_BYTES = 16 << 20  # and one row, however large it is
HEARTBEAT_MS = 1000
_LOOPBACK = ("127.0.0.1", "::1", "localhost")


@dataclass(frozen=True)
class Capture:
    """What to capture: ``tables`` of ``database`` and the marker table. ``name`` is the stream's, unique per source."""

    name: str
    database: Database
    flavour: Flavour
    tables: tuple[str, ...]


def connector_settings(capture: Capture) -> dict[str, str]:
    """Settings of the connector itself; where offsets and schema history are kept is the hosting's."""
    database, mariadb = capture.database, capture.flavour is Flavour.MARIADB
    tables = [f"{_regex(database.schema)}\\.{_regex(table)}" for table in capture.tables]
    encrypted = "prefer" if mariadb else "preferred"
    plain = "disable" if mariadb else "disabled"
    settings = {
        "name": capture.name,
        "connector.class": (
            "io.debezium.connector.mariadb.MariaDbConnector"
            if mariadb
            else "io.debezium.connector.mysql.MySqlConnector"
        ),
        "topic.prefix": capture.name,
        "database.hostname": database.host,
        "database.port": str(database.port),
        "database.user": database.user,
        "database.password": database.password,
        # The same for every run of this stream: a server lets only one replica of an id read on, so a worker that was
        # thought dead is cut off by its successor.
        "database.server.id": str(1_000_000_000 + zlib.crc32(capture.name.encode()) % 1_000_000_000),
        "database.include.list": f"{_regex(database.schema)},{MARKER_SCHEMA}",
        "table.include.list": ",".join([*tables, f"{MARKER_SCHEMA}\\.{MARKER_TABLE}"]),
        "database.connectionTimeZone": "UTC",
        "database.ssl.mode": plain if database.host in _LOOPBACK else encrypted,
        "snapshot.mode": "no_data",
        # The tables' shapes are read without the global lock, which would stop every writer of the server meanwhile. A
        # table altered in that moment makes events that do not fit its shape, and those fail.
        "snapshot.locking.mode": "none",
        "decimal.handling.mode": "string",
        "bigint.unsigned.handling.mode": "precise",
        "value.converter.decimal.format": "NUMERIC",  # of unsigned BIGINT: 18446744073709551615, not base64
        "time.precision.mode": "adaptive_time_microseconds",
        "binary.handling.mode": "bytes",
        "event.converting.failure.handling.mode": "fail",
        "inconsistent.schema.handling.mode": "fail",
        "event.processing.failure.handling.mode": "fail",
        "skipped.operations": "none",  # or TRUNCATE makes no event
        "tombstones.on.delete": "false",
        "include.schema.changes": "true",
        "extended.headers.enabled": "false",
        "key.converter.schemas.enable": "false",
        "value.converter.schemas.enable": "false",
        "key.converter.replace.null.with.default": "false",
        "value.converter.replace.null.with.default": "false",  # or a NULL arrives as the column's default
        "poll.interval.ms": str(POLL_MS),
        "max.batch.size": str(BATCH_RECORDS),
        "max.queue.size": str(QUEUE_RECORDS),
        "max.queue.size.in.bytes": str(QUEUE_BYTES),
        "heartbeat.interval.ms": str(HEARTBEAT_MS),
        "errors.max.retries": "0",  # the stream retries, and says so
    }
    if not mariadb:
        settings["driver.allowPublicKeyRetrieval"] = "true"
        # Where Java lacks the charset of eucjpms, as small runtimes do, the driver takes that one for UTF-8, and
        # letters in what the server says of its tables (members of an ENUM) come as others. So: as the server has them.
        settings["driver.characterSetResults"] = "null"
        settings["driver.connectionCollation"] = "utf8mb4_general_ci"
    return settings


def _regex(name: str) -> str:
    """Include lists are regular expressions, separated by commas."""
    return "".join(c if c.isalnum() or c == "_" else f"\\{c}" for c in name)
