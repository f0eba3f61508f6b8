"""Debezium's engine inside this process, through JPype. No Kafka, no broker, no root.

The engine runs on a daemon thread of its own. It hands over one batch at a time as one JSON array, put together inside
Java: that costs one crossing per batch, not one per record. At most a few batches wait; then the engine waits.
"""

from __future__ import annotations

import json
import queue
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jpype

from cdc.source.engine_log import Unseen, listen, unlisten
from cdc.source.failure import failure
from cdc.source.jvm import java
from cdc.source.port import Resume, SourceError
from cdc.source.settings import Capture, connector_settings

WAITING_BATCHES = 4
CLOSE_SECONDS = 120.0
_LONG_MS = str(3600 * 1000)


@dataclass(frozen=True)
class EngineBatch:
    """A batch of the engine. ``offsets`` are Java's, one a record, and all that is kept of the records: whole ones
    would fill Java's memory while batches wait."""

    values: bytes
    size: int
    offsets: Any = field(repr=False)

    def offset(self, at: int) -> str:
        offset = self.offsets[at]
        return json.dumps({str(entry.getKey()): _plain(entry.getValue()) for entry in offset.entrySet()})


class EmbeddedSource:
    """``cdc.source.port.Source`` in this process. ``folder`` keeps the schema history and the offset file.

    The offset file is written anew at each start from what was stored with the rows, and never read back: the target's
    position is the only truth.
    """

    def __init__(self, capture: Capture, jars: tuple[Path, ...], java_home: Path, folder: Path, heap_mb: int) -> None:
        self._capture, self._folder = capture, folder
        self._java_files = (jars, java_home, heap_mb)
        self._batches: queue.Queue[EngineBatch] = queue.Queue(WAITING_BATCHES)
        self._closing, self._ended = threading.Event(), threading.Event()
        self._error: SourceError | None = None
        self._unseen = Unseen(capture.tables)
        self._engine: Any = None
        self._thread: threading.Thread | None = None

    @property
    def _offset_file(self) -> Path:
        return self._folder / "offset.dat"

    @property
    def _history_file(self) -> Path:
        return self._folder / "schema-history.dat"

    def start(self, resume: Resume | None) -> None:
        classes = java(*self._java_files)
        listen(self._unseen.note)
        self._folder.mkdir(parents=True, exist_ok=True)
        for stale in (self._offset_file, self._history_file):
            stale.unlink(missing_ok=True)
        if resume is not None:
            self._history_file.write_bytes(resume.history)
            _write_offset_file(classes, self._offset_file, self._capture.name, resume.offset)
        properties = classes("java.util.Properties")()
        for key, value in (connector_settings(self._capture) | self._hosting()).items():
            properties.setProperty(key, value)
        engine = classes("io.debezium.engine.DebeziumEngine")
        self._engine = (
            engine.create(classes("io.debezium.engine.format.JsonByteArray").class_)
            .using(properties)
            .notifying(_consumer(self._hand_over, _Joiner(classes)))
            .using(_callback(self._complete))
            .build()
        )
        self._thread = threading.Thread(target=self._run, name=f"engine-{self._capture.name}", daemon=True)
        self._thread.start()

    def poll(self, timeout_seconds: float) -> EngineBatch | None:
        try:
            if timeout_seconds <= 0:
                return self._batches.get_nowait()
            return self._batches.get(timeout=timeout_seconds)
        except queue.Empty:
            if self._ended.is_set() and self._batches.empty():
                raise self._error or SourceError("the engine ended without saying why") from None
            return None

    def history(self) -> bytes:
        return self._history_file.read_bytes()

    def unseen(self) -> dict[str, str]:
        return self._unseen.take()

    def close(self) -> None:
        unlisten(self._unseen.note)
        self._closing.set()
        until = time.monotonic() + CLOSE_SECONDS
        while self._engine is not None and not self._ended.is_set():
            try:
                self._engine.close()
                break
            except jpype.JException as error:
                # refused while it is starting its task, or it has just ended
                if self._ended.wait(0.2):
                    break
                if time.monotonic() > until:
                    raise SourceError(f"the engine can't be stopped: {error}") from error
        if self._thread is not None:
            self._thread.join(CLOSE_SECONDS)
            if self._thread.is_alive():
                raise SourceError(f"the engine did not end within {CLOSE_SECONDS:.0f} s", way_out="restart the worker")
        self._engine = None

    def _hosting(self) -> dict[str, str]:
        return {
            "offset.storage": "org.apache.kafka.connect.storage.FileOffsetBackingStore",
            "offset.storage.file.filename": str(self._offset_file),
            "offset.flush.interval.ms": _LONG_MS,
            "schema.history.internal": "io.debezium.storage.file.history.FileSchemaHistory",
            "schema.history.internal.file.filename": str(self._history_file),
            "schema.history.internal.store.only.captured.databases.ddl": "true",
        }

    def _run(self) -> None:
        try:
            self._engine.run()
        except jpype.JException as error:
            self._error = self._error or failure([str(error)])
        finally:
            self._ended.set()

    def _hand_over(self, batch: EngineBatch) -> bool:
        """On the engine's thread. False: the stream is closing, and nobody takes the batch any more."""
        while not self._closing.is_set():
            try:
                self._batches.put(batch, timeout=0.2)
                return True
            except queue.Full:
                continue
        return False

    def _complete(self, success: bool, message: str, causes: list[str]) -> None:
        if not success and not self._closing.is_set():
            self._error = failure([*causes, message])


class _Joiner:
    """Joins the values of a list of records into one JSON array, inside Java: ``,`` and the bytes of each record are
    appended to one buffer by a consumer made of method handles, so no Python is called per record."""

    def __init__(self, classes: Any) -> None:
        handles, method_type = (
            classes("java.lang.invoke.MethodHandles"),
            classes("java.lang.invoke.MethodType").methodType,
        )
        lookup = handles.publicLookup()
        object_class = classes("java.lang.Object").class_
        self._buffer_class = classes("java.io.ByteArrayOutputStream")
        void, integer = classes("java.lang.Void").TYPE, classes("java.lang.Integer").TYPE
        event = classes("io.debezium.engine.ChangeEvent").class_
        bytes_class = jpype.JArray(jpype.JByte).class_
        value = lookup.findVirtual(event, "value", method_type(object_class))
        value = value.asType(method_type(bytes_class, object_class))
        write_bytes = lookup.findVirtual(self._buffer_class.class_, "writeBytes", method_type(void, bytes_class))
        write_byte = lookup.findVirtual(self._buffer_class.class_, "write", method_type(void, integer))
        self._handles, self._proxies = handles, classes("java.lang.invoke.MethodHandleProxies")
        self._function = classes("java.util.function.Consumer").class_
        self._value, self._write_bytes, self._write_byte = value, write_bytes, write_byte
        self._object_class, self._box = object_class, classes("java.lang.Integer")
        record, offset = classes("org.apache.kafka.connect.source.SourceRecord").class_, classes("java.util.Map").class_
        change = classes("io.debezium.embedded.EmbeddedEngineChangeEvent").class_
        offset_of = handles.filterReturnValue(
            lookup.findVirtual(change, "sourceRecord", method_type(record)),
            lookup.findVirtual(record, "sourceOffset", method_type(offset)),
        )
        self._offset_of = self._proxies.asInterfaceInstance(
            classes("java.util.function.Function").class_,
            offset_of.asType(method_type(object_class, object_class)),
        )

    def offsets(self, records: Any) -> Any:
        """A Java array of what each record's offset is."""
        return records.stream().map(self._offset_of).toArray()

    def join(self, records: Any) -> bytes:
        buffer = self._buffer_class(1 << 20)
        handles = self._handles
        comma = handles.insertArguments(self._write_byte.bindTo(buffer), 0, [self._box.valueOf(ord(","))])
        append = handles.filterArguments(self._write_bytes.bindTo(buffer), 0, [self._value])
        each = handles.foldArguments(append, handles.dropArguments(comma, 0, [self._object_class]))
        records.forEach(self._proxies.asInterfaceInstance(self._function, each))
        joined = bytearray(memoryview(buffer.toByteArray()))
        joined[0:1] = b"["
        joined += b"]"
        return bytes(joined)


def _consumer(hand_over: Any, joiner: _Joiner) -> Any:
    @jpype.JImplements("io.debezium.engine.DebeziumEngine$ChangeConsumer")
    class Consumer:
        @jpype.JOverride  # type: ignore[untyped-decorator]
        def handleBatch(self, records: Any, committer: Any) -> None:
            size = int(records.size())
            if size and hand_over(EngineBatch(joiner.join(records), size, joiner.offsets(records))):
                committer.markProcessed(records.get(size - 1))
                committer.markBatchFinished()

        @jpype.JOverride  # type: ignore[untyped-decorator]
        def supportsTombstoneEvents(self) -> bool:
            return False

    return Consumer()


def _callback(complete: Any) -> Any:
    @jpype.JImplements("io.debezium.engine.DebeziumEngine$CompletionCallback")
    class Callback:
        @jpype.JOverride  # type: ignore[untyped-decorator]
        def handle(self, success: bool, message: Any, error: Any) -> None:
            causes: list[str] = []
            while error is not None and len(causes) < 20:
                causes.append(str(error.toString()))
                error = error.getCause()
            complete(bool(success), str(message or ""), list(reversed(causes)))

    return Callback()


def _write_offset_file(classes: Any, path: Path, name: str, offset: str) -> None:
    """As Debezium's own offset store writes it: a Java-serialised map of one key and one value, both JSON."""
    stored = classes("java.util.HashMap")()
    key = json.dumps([name, {"server": name}], separators=(",", ":"))
    stored.put(jpype.JArray(jpype.JByte)(key.encode()), jpype.JArray(jpype.JByte)(offset.encode()))
    stream = classes("java.io.ObjectOutputStream")(classes("java.io.FileOutputStream")(str(path)))
    try:
        stream.writeObject(stored)
    finally:
        stream.close()


def _plain(value: Any) -> Any:
    """A value of the offset map as JSON knows it."""
    if value is None or isinstance(value, (bool, int, float)):
        return value
    if isinstance(value, jpype.JClass("java.lang.Boolean")):
        return bool(value)
    if isinstance(value, jpype.JClass("java.lang.Number")):
        return int(value)
    return str(value)
