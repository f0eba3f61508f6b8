"""What the engine calls with each batch, made of Java's method handles: not a line of Python runs on its thread.

Python there would wait for the interpreter's lock at each crossing, a dozen times a batch, while the engine stands
still. So the batch is put together inside Java, into one buffer, and queued there; whoever reads takes it out when it
has the time. When nobody does, the engine waits.
"""

from __future__ import annotations

import functools
from typing import Any, NamedTuple

import jpype

WAITING_BATCHES = 2


class Handed(NamedTuple):
    """One batch: the values of its records as one JSON array, and Java's array of their offsets. Whole records would
    fill Java's memory while batches wait."""

    values: bytearray
    offsets: Any


class HandOver:
    """``consumer`` is to be notified by the engine; ``take`` gives what came."""

    def __init__(self, classes: Any) -> None:
        self._queue = classes("java.util.concurrent.ArrayBlockingQueue")(WAITING_BATCHES)
        self._milliseconds = classes("java.util.concurrent.TimeUnit").MILLISECONDS
        self.consumer = _handles().consumer(self._queue)

    @property
    def empty(self) -> bool:
        return bool(self._queue.isEmpty())

    def take(self, timeout_seconds: float) -> Handed | None:
        """The next batch, or None when there was none in time."""
        found = self._queue.poll(max(0, int(timeout_seconds * 1000)), self._milliseconds)
        if found is None:
            return None
        buffer, offsets = found
        values = bytearray(memoryview(buffer.toByteArray()))
        values[0] = ord("[")  # each value has a comma before it
        values.append(ord("]"))
        return Handed(values, offsets)

    def forget(self) -> None:
        """Drop what waits, so that the engine need not."""
        self._queue.clear()


@functools.cache
def _handles() -> _Handles:
    """Once for all engines: what Java has compiled for one, it need not compile for the next."""
    return _Handles(jpype.JClass)


class _Handles:
    def __init__(self, classes: Any) -> None:
        self._classes = classes
        self._all = classes("java.lang.invoke.MethodHandles")
        self._type = classes("java.lang.invoke.MethodType").methodType
        self._proxies = classes("java.lang.invoke.MethodHandleProxies")
        self._void, self._int = classes("java.lang.Void").TYPE, classes("java.lang.Integer").TYPE
        self._boxed = classes("java.lang.Integer").valueOf
        self._lookup = self._all.publicLookup()
        self._object, self._list = self._class("java.lang.Object"), self._class("java.util.List")
        self._bytes = jpype.JArray(jpype.JByte).class_
        self._all_of_batch = self._packed().asType(self._type(self._object, self._list))

    def _class(self, name: str) -> Any:
        return self._classes(name).class_

    def consumer(self, queue: Any) -> Any:
        """Of a batch: queue it, then tell the engine that it is dealt with. (That it is at the target is never told:
        where to read on is stored there.)"""
        committer = self._class("io.debezium.engine.DebeziumEngine$RecordCommitter")
        put = self._find("java.util.concurrent.ArrayBlockingQueue", "put", self._void, self._object).bindTo(queue)
        put = self._all.collectArguments(put, 0, self._all_of_batch)
        put = self._all.dropArguments(put, 1, [committer])
        mark = self._all.filterArguments(
            self._find(committer, "markProcessed", self._void, self._object),
            1,
            [self._find(self._list, "getLast", self._object)],
        )
        mark = self._all.permuteArguments(mark, self._type(self._void, self._list, [committer]), 1, 0)
        finish = self._all.dropArguments(self._find(committer, "markBatchFinished", self._void), 0, [self._list])
        whole = self._all.foldArguments(self._all.foldArguments(finish, mark), put)
        empty = self._find(self._list, "isEmpty", self._classes("java.lang.Boolean").TYPE)
        whole = self._all.guardWithTest(empty, self._all.empty(whole.type()), whole)
        return self._instance("io.debezium.engine.DebeziumEngine$ChangeConsumer", whole)

    def _packed(self) -> Any:
        """(List) -> Object[]: the buffer with the values, and the offsets."""
        stream_class = self._class("java.util.stream.Stream")
        stream = self._find("java.util.Collection", "stream", stream_class).asType(self._type(stream_class, self._list))
        supplier, both = self._class("java.util.function.Supplier"), self._class("java.util.function.BiConsumer")
        collect = self._find(stream_class, "collect", self._object, supplier, both, both)
        buffer, append = self._buffer()
        values = self._all.filterArguments(self._all.insertArguments(collect, 1, [buffer, append, append]), 0, [stream])
        function = self._class("java.util.function.Function")
        mapped = self._all.insertArguments(self._find(stream_class, "map", stream_class, function), 1, [self._offset()])
        array = self._find(stream_class, "toArray", jpype.JArray(jpype.JObject).class_)
        offsets = self._all.filterReturnValue(self._all.filterArguments(mapped, 0, [stream]), array)
        pair = self._all.identity(jpype.JArray(jpype.JObject).class_).asCollector(jpype.JArray(jpype.JObject).class_, 2)
        pair = self._all.filterArguments(
            pair, 0, [one.asType(self._type(self._object, self._list)) for one in (values, offsets)]
        )
        return self._all.permuteArguments(pair, self._type(pair.type().returnType(), self._list), 0, 0)

    def _buffer(self) -> tuple[Any, Any]:
        """What makes a buffer, and what appends a record's value to it, behind a comma."""
        buffer = self._class("java.io.ByteArrayOutputStream")
        make = self._lookup.findConstructor(buffer, self._type(self._void, self._int))
        make = self._all.insertArguments(make, 0, [self._boxed(1 << 18)])
        comma = self._all.insertArguments(
            self._find(buffer, "write", self._void, self._int), 1, [self._boxed(ord(","))]
        )
        value = self._find("io.debezium.engine.ChangeEvent", "value", self._object)
        write = self._all.filterArguments(
            self._find(buffer, "writeBytes", self._void, self._bytes),
            1,
            [value.asType(self._type(self._bytes, value.type().parameterType(0)))],
        )
        append = self._all.foldArguments(write, comma)
        supply = make.asType(self._type(self._object))
        append = append.asType(self._type(self._void, self._object, [self._object]))
        return self._instance("java.util.function.Supplier", supply), self._instance(
            "java.util.function.BiConsumer", append
        )

    def _offset(self) -> Any:
        """What gives a record's offset."""
        record = self._class("org.apache.kafka.connect.source.SourceRecord")
        offset = self._all.filterReturnValue(
            self._find("io.debezium.embedded.EmbeddedEngineChangeEvent", "sourceRecord", record),
            self._find(record, "sourceOffset", self._class("java.util.Map")),
        )
        return self._instance("java.util.function.Function", offset.asType(self._type(self._object, self._object)))

    def _find(self, owner: Any, name: str, gives: Any, *takes: Any) -> Any:
        owner = self._class(owner) if isinstance(owner, str) else owner
        signature = self._type(gives, takes[0], list(takes[1:])) if takes else self._type(gives)
        return self._lookup.findVirtual(owner, name, signature)

    def _instance(self, interface: str, handle: Any) -> Any:
        return self._proxies.asInterfaceInstance(self._class(interface), handle)
