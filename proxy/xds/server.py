"""The ADS server: gives every Envoy the current snapshot and knows who has applied or refused it."""

from __future__ import annotations

import asyncio
import itertools
import logging
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
from envoy.config.listener.v3 import listener_pb2
from envoy.service.discovery.v3 import discovery_pb2

from proxy.envoy import names
from proxy.envoy.listener import bind
from proxy.envoy.snapshot import Resource, Snapshot
from proxy.xds import file
from proxy.xds.ledger import Ledger, Send

log = logging.getLogger(__name__)

# Envoy acknowledges on its main thread; workers, and requests that have chosen their route, follow.
RETIRE_AFTER_S = 2.0

_SERVICE = "envoy.service.discovery.v3.AggregatedDiscoveryService"


@dataclass(frozen=True)
class Proxy:
    """One connected Envoy: the version it has applied, and its last refusal (``None`` if it never refused)."""

    id: str
    applied: int | None
    last_nack: str | None


@dataclass(frozen=True)
class Applied:
    """A version that every connected proxy has acknowledged, and how long that took."""

    version: int
    ms: float
    proxies: tuple[Proxy, ...]


class Refused(Exception):
    """Not applied: ``reasons`` by proxy id. ``timed_out``: no answer rather than a NACK."""

    def __init__(self, version: int, reasons: dict[str, str], *, timed_out: bool = False) -> None:
        super().__init__(f"version {version} was refused: " + "; ".join(f"{k}: {v}" for k, v in reasons.items()))
        self.version = version
        self.reasons = reasons
        self.timed_out = timed_out


@dataclass(eq=False)
class _Stream:
    context: Any
    node: str = ""
    listen: tuple[str, int] | None = None
    admin: tuple[str, int] | None = None
    ledger: Ledger = field(default_factory=Ledger)
    sending: asyncio.Lock = field(default_factory=asyncio.Lock)
    # Set on everything heard, and when the stream ends: publish() then looks again.
    news: asyncio.Event = field(default_factory=asyncio.Event)
    gone: bool = False
    reading: asyncio.Task[None] | None = None
    sent_away: bool = False
    retiring: asyncio.Task[None] | None = None

    def send_away(self) -> None:
        """End the stream from this side; the proxy looks for a server again."""
        self.sent_away = True
        if self.reading is not None:
            self.reading.cancel()

    def proxy(self) -> Proxy:
        return Proxy(self.node, self.ledger.version, self.ledger.last_nack)


class AdsServer:
    """State-of-the-world ADS over gRPC, loopback. Lives in the caller's event loop."""

    def __init__(
        self,
        host: str,
        port: int,
        *,
        snapshot_file: Path | None = None,
        ack_timeout_s: float = 5.0,
        admit: Callable[[], bool] = lambda: True,
    ) -> None:
        """``snapshot_file`` keeps the last applied snapshot for the standby and for the next start. While ``admit``
        says no, proxies are sent away."""
        self._address = (host, port)
        self._file = snapshot_file
        self._ack_timeout_s = ack_timeout_s
        self._admit = admit
        self._streams: list[_Stream] = []
        self._nonces = itertools.count(1)
        self._publishing = asyncio.Lock()
        self._server: Any = None
        self._current: Snapshot | None = None
        self._before: Snapshot | None = None
        self._old: tuple[Resource, ...] = ()  # clusters that were, and are no more

    async def start(self) -> int:
        """Listen; the port (of use when 0 was asked for). Raises OSError naming a port that is taken."""
        if self._file is not None:
            self._before = file.read(self._file)
        # Two servers on one port would each get some of the proxies.
        server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
        handler = grpc.stream_stream_rpc_method_handler(
            self._talk,
            request_deserializer=discovery_pb2.DiscoveryRequest.FromString,
            response_serializer=discovery_pb2.DiscoveryResponse.SerializeToString,
        )
        server.add_generic_rpc_handlers(
            (grpc.method_handlers_generic_handler(_SERVICE, {"StreamAggregatedResources": handler}),)
        )
        host, port = self._address
        try:
            bound = int(server.add_insecure_port(f"{host}:{port}"))
        except RuntimeError as error:
            raise OSError(f"the xDS server can't listen on {host}:{port}: is the port taken? ({error})") from error
        await server.start()
        self._server = server
        return bound

    async def stop(self) -> None:
        """Close all streams. Envoys go on with what they have applied, or go to the standby."""
        if self._server is not None:
            await self._server.stop(None)
            self._server = None

    def close_streams(self) -> None:
        """Send every connected proxy away; each looks for a server again."""
        for stream in self._streams:
            stream.send_away()

    @property
    def last_applied(self) -> Snapshot | None:
        """What was in the snapshot file at the start, then the last snapshot all proxies acknowledged."""
        return self._before

    def proxies(self) -> tuple[Proxy, ...]:
        """Connected ones, by id."""
        return tuple(sorted((stream.proxy() for stream in self._streams if stream.node), key=lambda one: one.id))

    def admins(self) -> dict[str, str | None]:
        """Where each connected proxy's admin endpoint is, by id; None where it didn't say."""
        return {
            one.node: None if one.admin is None else f"http://{one.admin[0]}:{one.admin[1]}"
            for one in self._streams
            if one.node
        }

    async def offer(self, snapshot: Snapshot) -> None:
        """Make it the current snapshot and send it, without waiting for anybody."""
        present = {one.name for one in snapshot.resources[names.CLUSTER]}
        known = {one.name: one for one in self._old}
        for earlier in (self._before, self._current):
            known |= {one.name: one for one in (earlier.resources[names.CLUSTER] if earlier else ())}
        self._old = tuple(one for name, one in known.items() if name not in present)
        for stream in self._streams:
            stream.ledger.retired -= present
        self._current = snapshot
        await asyncio.gather(*map(self._advance, self._streams))

    async def publish(self, snapshot: Snapshot) -> Applied:
        """Send to every connected proxy and wait for all to acknowledge; then keep it in the file. With none connected
        it returns at once with no proxies; who connects later gets it. Raises Refused; the caller then publishes the
        last good one again."""
        async with self._publishing:
            begun = time.perf_counter()
            await self.offer(snapshot)
            streams = tuple(self._streams)
            reasons, timed_out = await self._answers(snapshot, streams)
            ms = (time.perf_counter() - begun) * 1000
            if reasons:
                raise Refused(snapshot.version, reasons, timed_out=timed_out)
            if self._file is not None:
                # Not while the proxies work: it would take time from hearing the answer.
                await asyncio.to_thread(file.write, self._file, snapshot)
            self._before = snapshot
            return Applied(snapshot.version, ms, self.proxies())

    async def _answers(self, snapshot: Snapshot, streams: tuple[_Stream, ...]) -> tuple[dict[str, str], bool]:
        """Refusals by proxy id, and whether they are only for want of an answer."""
        deadline = asyncio.get_running_loop().time() + self._ack_timeout_s
        reasons: dict[str, str] = {}
        silent: dict[str, str] = {}
        for stream in streams:
            while not stream.gone and not stream.ledger.applied(snapshot):
                why = stream.ledger.refusal(snapshot)
                if why is not None:
                    reasons[stream.node] = why
                    break
                stream.news.clear()
                try:
                    async with asyncio.timeout_at(deadline):
                        await stream.news.wait()
                except TimeoutError:
                    silent[stream.node or "a proxy that hasn't said its name"] = _silence(stream, self._ack_timeout_s)
                    break
        return (reasons, False) if reasons else (silent, bool(silent))

    async def _talk(self, requests: AsyncIterator[Any], context: Any) -> None:
        """One stream, for as long as it lasts."""
        if not self._admit():
            await context.abort(grpc.StatusCode.UNAVAILABLE, "the control plane is up: ask there")
        stream = _Stream(context)
        self._streams.append(stream)
        try:
            stream.reading = asyncio.create_task(self._listen(stream, requests))
            await stream.reading
        except asyncio.CancelledError:
            if not stream.sent_away:
                raise
            await context.abort(grpc.StatusCode.UNAVAILABLE, "ask again: another server, or another stream, has you")
        finally:
            self._streams.remove(stream)
            stream.gone = True
            if stream.retiring is not None:
                stream.retiring.cancel()
            stream.news.set()
            log.info("proxy %s left", stream.node)

    async def _listen(self, stream: _Stream, requests: AsyncIterator[Any]) -> None:
        async for request in requests:
            self._hear(stream, request)
            await self._advance(stream)
            stream.news.set()

    def _hear(self, stream: _Stream, request: Any) -> None:
        if request.node.id and not stream.node:
            stream.node = request.node.id
            stream.listen = _address(request.node, "listen")
            stream.admin = _address(request.node, "admin")
            for other in [one for one in self._streams if one.node == stream.node and one is not stream]:
                # The same proxy came back before its old connection was known to be dead.
                other.send_away()
            log.info("proxy %s came", stream.node)
        error = (request.error_detail.message or "no reason given") if request.HasField("error_detail") else None
        if error is not None:
            log.error("proxy %s refused %s: %s", stream.node, request.type_url, error)
        stream.ledger.heard(
            request.type_url,
            frozenset(request.resource_names),
            request.version_info,
            request.response_nonce,
            error,
        )

    def _retire_later(self, stream: _Stream) -> None:
        """Take old clusters from a proxy some time after it has acknowledged routes that don't name them."""
        lingering = stream.ledger.lingering(self._old)
        if not lingering or stream.retiring or self._current is None or not stream.ledger.applied(self._current):
            return

        async def retire() -> None:
            await asyncio.sleep(RETIRE_AFTER_S)
            stream.ledger.retired |= lingering & {one.name for one in self._old}
            stream.retiring = None
            await self._advance(stream)

        stream.retiring = asyncio.create_task(retire())

    async def _advance(self, stream: _Stream) -> None:
        if self._current is None or stream.gone:
            return
        async with stream.sending:
            step = stream.ledger.next(self._current, self._old)
            if step is None:
                self._retire_later(stream)
                return
            nonce = str(next(self._nonces))
            stream.ledger.sent(step.kind, step.revision, nonce)
            try:
                await stream.context.write(_response(step, nonce, stream.listen))
            except (asyncio.InvalidStateError, grpc.aio.UsageError, grpc.RpcError) as error:
                # The stream ended under our hands: its own task takes it off the list.
                log.info("proxy %s went away while it was sent to: %s", stream.node, error)
                stream.gone = True
                stream.news.set()


def _response(step: Send, nonce: str, listen: tuple[str, int] | None) -> Any:
    response = discovery_pb2.DiscoveryResponse(version_info=step.revision, type_url=step.kind, nonce=nonce)
    for resource in step.resources:
        value = resource.value
        if step.kind == names.LISTENER and listen is not None:
            value = bind(listener_pb2.Listener.FromString(value), *listen).SerializeToString(deterministic=True)
        response.resources.add(type_url=step.kind, value=value)
    return response


def _address(node: Any, of: str) -> tuple[str, int] | None:
    """An address out of the node's metadata."""
    if of not in node.metadata:
        return None
    found = node.metadata[of]
    return str(found["host"]), int(found["port"])


def _silence(stream: _Stream, seconds: float) -> str:
    text = f"no answer within {seconds:g} s"
    return f"{text} (its last refusal: {stream.ledger.last_nack})" if stream.ledger.last_nack else text
