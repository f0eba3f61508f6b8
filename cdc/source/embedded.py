"""Debezium's engine inside this process, through JPype. No Kafka, no broker, no root.

The engine runs on a daemon thread of its own and hands over one batch at a time as one JSON array, inside Java
(``handover``): that costs one crossing per batch, not one per record.
"""

from __future__ import annotations

import json
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jpype

from cdc.source.engine_log import Unseen, listen, unlisten
from cdc.source.failure import failure
from cdc.source.handover import HandOver
from cdc.source.jvm import java
from cdc.source.port import Resume, SourceError
from cdc.source.settings import Capture, connector_settings

CLOSE_SECONDS = 120.0
_LONG_MS = str(3600 * 1000)
# Of key, value, headers. Keys are in the values too, and there are no headers: text costs the least to make of both.
_FORMATS = ("SimpleString", "JsonByteArray", "JsonByteArray")


@dataclass
class EngineBatch:
    """A batch of the engine. ``offsets`` are Java's, one a record."""

    values: bytearray = field(repr=False)
    size: int
    offsets: Any = field(repr=False)

    def forget(self) -> None:
        self.values = bytearray(b"[]")

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
        self._handed: HandOver | None = None
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
        engine, self._handed = classes("io.debezium.engine.DebeziumEngine"), HandOver(classes)
        self._engine = (
            engine.create(*(classes(f"io.debezium.engine.format.{name}").class_ for name in _FORMATS))
            .using(properties)
            .notifying(self._handed.consumer)
            .using(_callback(self._complete))
            .build()
        )
        self._thread = threading.Thread(target=self._run, name=f"engine-{self._capture.name}", daemon=True)
        self._thread.start()

    def poll(self, timeout_seconds: float) -> EngineBatch | None:
        assert self._handed is not None
        ended = self._ended.is_set()
        found = self._handed.take(timeout_seconds)
        if found is None:
            if ended:
                raise self._error or SourceError("the engine ended without saying why")
            return None
        return EngineBatch(found.values, len(found.offsets), found.offsets)

    def history(self) -> bytes:
        return self._history_file.read_bytes()

    def unseen(self) -> dict[str, str]:
        return self._unseen.take()

    def close(self) -> None:
        unlisten(self._unseen.note)
        self._closing.set()
        threading.Thread(target=self._let_go, name="engine-close", daemon=True).start()
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
            # One keeps up with the one that reads the binlog; more of them only wait for each other, record by record.
            "record.processing.threads": "1",
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

    def _let_go(self) -> None:
        """While closing: an engine that waits for somebody to take a batch would not end."""
        while self._handed is not None and not self._ended.wait(0.05):
            self._handed.forget()

    def _complete(self, success: bool, message: str, causes: list[str]) -> None:
        if not success and not self._closing.is_set():
            self._error = failure([*causes, message])


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
