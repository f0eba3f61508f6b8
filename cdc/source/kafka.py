"""Debezium in Kafka Connect, its events in a topic of Apache Kafka, read from where the target stands.

All that comes of a stream is in one partition of one topic, so the order is that of the source's binlog, as in the
embedded engine. Where to read on is stored with the rows, in the same transaction; nothing is committed to Kafka.
"""

from __future__ import annotations

import json
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import orjson
from kafka import KafkaConsumer, TopicPartition, errors

from cdc.event import MARKER_TABLE
from cdc.position import parse_gtids
from cdc.source.connect import Connect
from cdc.source.kafka_settings import (
    KafkaHosting,
    changed_by_hand,
    connect_settings,
    secrets_file,
    secrets_text,
    topic_of,
)
from cdc.source.port import Resume, SourceError
from cdc.source.settings import Capture
from cdc.source.topics import Topics, trouble
from cdc.source.watch import ConnectorWatch

POLL_RECORDS = 8192
FETCH_BYTES = 16 << 20
DRAIN_SECONDS = 3.0  # what is in the topic is applied before trouble is told, but it may never end
_RESNAPSHOT = "copy all tables again: strangler sync resnapshot"


@dataclass(frozen=True)
class TopicBatch:
    """Records of the topic. ``executed`` are the places of markers among them, with the GTIDs that each found executed
    at the source; ``before`` are those of the last marker before this batch."""

    records: list[Any] = field(repr=False)
    executed: list[tuple[int, str]]
    before: str
    topic_id: str

    @property
    def size(self) -> int:
        return len(self.records)

    @property
    def values(self) -> bytes:
        return b"[" + b",".join([record.value or b"null" for record in self.records]) + b"]"

    def forget(self) -> None:
        """What an offset needs is among them."""

    def offset(self, at: int) -> str:
        """Where in the topic to read on, and where in the source's binlog that is."""
        record = self.records[at]
        source = orjson.loads(record.value).get("source") or {}
        gtids = next((found for place, found in reversed(self.executed) if place <= at), self.before)
        return json.dumps(
            {
                "gtids": gtids,
                "file": source.get("file"),
                "pos": source.get("pos"),
                "topic": record.topic,
                "topic_id": self.topic_id,
                "next": {str(record.partition): record.offset + 1},
            }
        )


class KafkaSource:
    """``cdc.source.port.Source`` over a topic. Owns the stream's connector and topics: makes them, keeps them as they
    should be, refuses to go on when somebody else changed them."""

    def __init__(self, capture: Capture, hosting: KafkaHosting) -> None:
        self._capture, self._hosting = capture, hosting
        self._topic = TopicPartition(topic_of(capture.name), 0)
        self._executed, self._topic_id = "", ""
        self._anew = False
        self._connect: Connect | None = None
        self._topics: Topics | None = None
        self._consumer: Any = None
        self._watch: ConnectorWatch | None = None

    def start(self, resume: Resume | None) -> None:
        """Blocks for some seconds. Without ``resume`` the connector begins anew, whatever was before."""
        name = self._capture.name
        self._connect = Connect(self._hosting)
        self._topics = Topics(self._hosting, name)
        wanted = connect_settings(self._hosting, self._capture)
        _write_secrets(self._hosting, self._capture)
        self._anew = resume is None
        if resume is None:
            self._begin_anew(wanted)
        else:
            self._topic_id = self._check_topic(resume)
            self._reconcile(wanted)
        self._watch = ConnectorWatch(self._hosting, name, wanted, self._topic_id)
        self._read_from(None if resume is None else resume)
        self._watch.start()

    def poll(self, timeout_seconds: float) -> TopicBatch | None:
        assert self._consumer is not None and self._watch is not None
        began = time.monotonic()
        try:
            found = self._consumer.poll(timeout_ms=max(0, int(timeout_seconds * 1000)), max_records=POLL_RECORDS)
        except errors.OffsetOutOfRangeError as error:
            raise self._lost(
                f"it does not hold what comes after offset {error.args[0] if error.args else '?'}"
            ) from error
        except errors.KafkaError as error:
            raise trouble(error, self._hosting, began) from error
        records = found.get(self._topic)
        wrong = self._watch.trouble
        if wrong is not None and (not records or time.monotonic() > self._watch.trouble_at + DRAIN_SECONDS):
            raise wrong
        if not records:
            return None
        return self._batch(records)

    def history(self) -> bytes:
        """The connector keeps it in a topic of its own."""
        return b""

    def unseen(self) -> dict[str, str]:
        """Connect's log, which would tell, is not read."""
        return {}

    def close(self) -> None:
        if self._watch is not None:
            self._watch.end()
            self._watch = None
        if self._consumer is not None:
            with suppress(errors.KafkaError):
                self._consumer.close(autocommit=False, timeout_ms=2000)
            self._consumer = None
        if self._topics is not None:
            self._topics.close()
        if self._connect is not None:
            self._connect.close()

    def _batch(self, records: list[Any]) -> TopicBatch:
        before, executed = self._executed, []
        for place, record in enumerate(records):
            key = record.key
            if key is None:
                continue
            # by the key's beginning first: looking into each value would cost more than all the rest
            if key.startswith(b'{"stream"'):
                row = orjson.loads(record.value)
                if row["source"]["table"] == MARKER_TABLE and row["after"] and row["after"].get("executed"):
                    self._executed = _plus(row["after"]["executed"], row["source"].get("gtid"))
                    executed.append((place, self._executed))
            elif key.startswith(b'{"databaseName"') and not self._anew and _is_snapshot(record.value):
                raise SourceError(
                    f"the connector {self._capture.name} had lost its place and began anew, so that events may be"
                    " missing (were Connect's own topics deleted?)",
                    way_out=_RESNAPSHOT,
                )
        return TopicBatch(records, executed, before, self._topic_id)

    def _begin_anew(self, wanted: dict[str, str]) -> None:
        assert self._connect is not None and self._topics is not None
        name = self._capture.name
        if self._connect.settings(name) is not None:
            self._connect.stop(name)
            self._connect.write(name, wanted)
        else:
            self._connect.create_stopped(name, wanted)
        self._topics.empty()
        self._connect.forget_offsets(name)
        self._topic_id = self._topics.id_of(self._topic.topic) or ""
        self._connect.resume(name)

    def _reconcile(self, wanted: dict[str, str]) -> None:
        """Create, change or wake the connector; refuse one that somebody changed by hand."""
        assert self._connect is not None and self._topics is not None
        name = self._capture.name
        self._topics.ensure()
        current = self._connect.settings(name)
        if current is not None:
            refuse_drift(name, self._hosting, current, wanted)
        if current is None or {k: v for k, v in current.items() if k != "name"} != wanted:
            self._connect.write(name, wanted)
        standing = self._connect.standing(name)
        if standing is not None and standing.connector in ("PAUSED", "STOPPED"):
            self._connect.resume(name)
        if standing is not None and standing.failed:
            self._connect.restart_failed(name)

    def _check_topic(self, resume: Resume) -> str:
        assert self._topics is not None
        stored = json.loads(resume.offset)
        self._executed = stored["gtids"]
        now = self._topics.id_of(self._topic.topic)
        if now is None:
            raise self._lost("it is not there any more")
        if now != stored["topic_id"]:
            raise self._lost("it was deleted and made again")
        return now

    def _read_from(self, resume: Resume | None) -> None:
        began = time.monotonic()
        try:
            self._consumer = KafkaConsumer(
                bootstrap_servers=self._hosting.servers,
                client_id=f"strangler-{self._capture.name}",
                group_id=None,
                enable_auto_commit=False,
                auto_offset_reset="none",  # said, not skipped over
                isolation_level="read_committed",
                max_poll_records=POLL_RECORDS,
                max_partition_fetch_bytes=FETCH_BYTES,
                fetch_max_bytes=FETCH_BYTES,
                receive_message_max_bytes=max(100 << 20, self._hosting.largest_message_bytes + FETCH_BYTES),
                reconnect_backoff_max_ms=500,
                allow_auto_create_topics=False,
                **self._hosting.security.client_options(),
            )
            self._consumer.assign([self._topic])
            first = self._consumer.beginning_offsets([self._topic])[self._topic]
            last = self._consumer.end_offsets([self._topic])[self._topic]
            following = first if resume is None else int(json.loads(resume.offset)["next"]["0"])
            if following < first:
                raise self._lost(f"it begins at offset {first}, the target stands at {following}")
            if following > last:
                raise self._lost(f"it ends at offset {last}, the target stands at {following}")
            self._consumer.seek(self._topic, following)
        except errors.KafkaError as error:
            raise trouble(error, self._hosting, began) from error

    def _lost(self, how: str) -> SourceError:
        return SourceError(
            f"the topic {self._topic.topic} does not go on from where the target stands: {how}",
            way_out=f"{_RESNAPSHOT}; let topics keep events longer than a stream may pause (retention_hours)",
        )


def refuse_drift(name: str, hosting: KafkaHosting, current: dict[str, str], wanted: dict[str, str]) -> None:
    """Raises SourceError naming what somebody changed by hand."""
    keys = changed_by_hand(current, wanted)
    if not keys:
        return
    shown = [
        key if "password" in key or "login" in key or "jaas" in key else _change(key, current, wanted) for key in keys
    ]
    raise SourceError(
        f"the connector {name} was changed by hand: {'; '.join(shown)}",
        way_out=f"put that back, or let it be made again (nothing is lost: its place is kept): DELETE"
        f" {hosting.connect.rstrip('/')}/connectors/{name}; then: strangler sync resume",
    )


def take_down(hosting: KafkaHosting, stream: str) -> None:
    """Remove the stream's connector with its offsets, and its topics. Safe to repeat. Raises SourceError."""
    connect, topics = Connect(hosting), Topics(hosting, stream)
    try:
        if connect.settings(stream) is not None:
            connect.stop(stream)
            connect.forget_offsets(stream)
            connect.delete(stream)
        topics.delete()
    finally:
        connect.close()
        topics.close()
    if file := secrets_file(hosting, stream):
        file.unlink(missing_ok=True)


def _change(key: str, current: dict[str, str], wanted: dict[str, str]) -> str:
    return f"{key} is {current.get(key, 'missing')!r} instead of {wanted.get(key, 'missing')!r}"


def _write_secrets(hosting: KafkaHosting, capture: Capture) -> None:
    file = secrets_file(hosting, capture.name)
    if file is not None:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        part = file.with_suffix(".part")
        part.touch(mode=0o600)
        part.write_text(secrets_text(hosting, capture))
        part.replace(file)


def _plus(executed: str, gtid: str | None) -> str:
    found, added = parse_gtids(executed), parse_gtids(gtid or "")
    if found is None or added is None or type(found) is not type(added):
        return executed
    return str(found.union(added))  # type: ignore[arg-type]


def _is_snapshot(value: bytes) -> bool:
    source = orjson.loads(value).get("source") or {}
    return "ddl" in orjson.loads(value) and (source.get("snapshot") or "false") != "false"
