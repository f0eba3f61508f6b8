"""A real HTTP upstream on loopback that says what it got."""

from __future__ import annotations

import asyncio
import json
import threading
from dataclasses import dataclass, field


@dataclass
class Upstream:
    """Answers every request with ``{"me", "method", "path", "headers", "body"}``.

    A path that ends in ``/fail`` answers 500 and ``/hang`` never does, on the side called ``new``; everything else 200.
    """

    name: str
    port: int = 0
    seen: list[tuple[str, str]] = field(default_factory=list)  # method, path

    def __post_init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        started = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(started,), daemon=True)
        self._thread.start()
        started.wait()

    def _run(self, started: threading.Event) -> None:
        async def serve() -> None:
            self._server = await asyncio.start_server(self._answer, "127.0.0.1", self.port)
            self.port = self._server.sockets[0].getsockname()[1]
            started.set()

        self._loop.run_until_complete(serve())
        self._loop.run_forever()

    def close(self) -> None:
        async def end() -> None:
            self._server.close()
            for task in asyncio.all_tasks() - {asyncio.current_task()}:
                task.cancel()
            await asyncio.sleep(0)
            self._loop.stop()

        asyncio.run_coroutine_threadsafe(end(), self._loop)
        self._thread.join()
        self._loop.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while (head := await reader.readuntil(b"\r\n\r\n")) is not None:
                request, *lines = head.decode("latin-1").split("\r\n")[:-2]
                method, path, _ = request.split(" ")
                headers = dict(line.lower().split(": ", 1) for line in lines if ": " in line)
                body = await _body(reader, headers)
                self.seen.append((method, path))
                bare = path.partition("?")[0]
                if self.name == "new" and bare.endswith("/hang"):
                    await asyncio.sleep(60)
                failed = self.name == "new" and bare.endswith("/fail")
                content = json.dumps(
                    {"me": self.name, "method": method, "path": path, "headers": headers, "body": body.decode()}
                ).encode()
                status = b"500 Internal Server Error" if failed else b"200 OK"
                writer.write(b"HTTP/1.1 " + status + b"\r\ncontent-type: application/json\r\n")
                # A side can't claim to be the other one.
                writer.write(b"x-strangler-side: upstream\r\n")
                writer.write(b"content-length: %d\r\n\r\n" % len(content))
                if method != "HEAD":
                    writer.write(content)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionResetError):
            pass  # the proxy has closed the connection
        finally:
            writer.close()


async def _body(reader: asyncio.StreamReader, headers: dict[str, str]) -> bytes:
    if headers.get("transfer-encoding") != "chunked":
        return await reader.readexactly(int(headers.get("content-length", 0)))
    body = b""
    while size := int(await reader.readline(), 16):
        body += (await reader.readexactly(size + 2))[:-2]
    await reader.readline()
    return body
