"""A small project in a folder of its own, a control plane on it, and a proxy that can be told to refuse."""

from __future__ import annotations

import asyncio
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import redirect_stderr, redirect_stdout, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from unittest import mock

import grpc
import httpx
import pytest
from envoy.config.core.v3 import base_pb2
from envoy.service.discovery.v3 import discovery_pb2
from google.rpc import status_pb2

from proxy.envoy import bootstrap
from proxy.envoy.snapshot import TYPES
from strangler.cli.main import main
from strangler.config import Config, ControlPorts, EnvoyPorts, Ports, load
from strangler.control.api.app import build
from strangler.control.bootstrap import ControlPlane, compose
from strangler.dev.ports import free_port

PROJECT = """
[project]
name = "test"

[proxy.cohorts]
staff = { description = "us" }

[databases.old]
url = "mysql://u:p@127.0.0.1:1/old"

[legacy]
url = "http://127.0.0.1:18080"
database = "old"

[capability.catalog]
url = "http://127.0.0.1:18081"
routes = ["GET /api/items", "GET /api/items/{id}", "POST /api/items"]

[capability.offers]
url = "http://127.0.0.1:18082"
routes = ["GET /api/offers"]
"""


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Config:
    (tmp_path / "strangler.toml").write_text(PROJECT)
    monkeypatch.setenv("STRANGLER_CONFIG", str(tmp_path / "strangler.toml"))
    Ports().write(tmp_path / ".strangler" / "run")
    return load()


@dataclass
class TestProxy:
    """Speaks ADS as Envoy does, and acknowledges whatever it gets, unless ``refuse`` says why not."""

    __test__ = False
    id: str
    port: int
    refuse: str | None = None
    silent: bool = False
    versions: list[str] = field(default_factory=list)

    async def run(self) -> None:
        out: asyncio.Queue[object] = asyncio.Queue()
        node = base_pb2.Node(id=self.id)
        for index, kind in enumerate(TYPES):
            out.put_nowait(discovery_pb2.DiscoveryRequest(type_url=kind, node=node if index == 0 else None))

        async def requests() -> AsyncIterator[object]:
            while True:
                yield await out.get()

        acked: dict[str, str] = {}
        async with grpc.aio.insecure_channel(f"127.0.0.1:{self.port}") as channel:
            call = channel.stream_stream(
                "/envoy.service.discovery.v3.AggregatedDiscoveryService/StreamAggregatedResources",
                request_serializer=discovery_pb2.DiscoveryRequest.SerializeToString,
                response_deserializer=discovery_pb2.DiscoveryResponse.FromString,
            )(requests())
            async for response in call:
                if self.silent:
                    continue
                answer = discovery_pb2.DiscoveryRequest(
                    type_url=response.type_url,
                    response_nonce=response.nonce,
                    version_info=acked.get(response.type_url, ""),
                )
                if self.refuse is not None:
                    answer.error_detail.CopyFrom(status_pb2.Status(code=3, message=self.refuse))
                else:
                    answer.version_info = acked[response.type_url] = response.version_info
                    self.versions.append(response.version_info)
                out.put_nowait(answer)


@dataclass
class Plane:
    """A control plane in this process, its API, and proxies that come and go."""

    control: ControlPlane
    http: httpx.AsyncClient
    xds: int
    tasks: list[asyncio.Task[None]] = field(default_factory=list)

    async def connect(self, id: str = "envoy-1") -> TestProxy:
        """A proxy that has applied the version in force."""
        proxy = TestProxy(id, self.xds)
        self.tasks.append(asyncio.create_task(proxy.run()))
        async with asyncio.timeout(5):
            while not any(
                p.id == id and p.applied == self.control.flagging.flags.version for p in self.control.flagging.proxies
            ):
                await asyncio.sleep(0.005)
        return proxy

    async def events(self, path: str, **body: object) -> list[dict]:
        response = await self.http.post(path, json=body)
        return [httpx.Response(200, content=line).json() for line in response.text.splitlines()]

    async def stop(self) -> None:
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        await self.http.aclose()
        await self.control.stop()


async def start_plane(project: Config) -> Plane:
    control = await asyncio.to_thread(compose, project, xds=("127.0.0.1", 0))
    port = await control.start()
    http = httpx.AsyncClient(
        transport=httpx.ASGITransport(build(control)),
        base_url="http://control/v1",
        headers={"Authorization": f"Bearer {control.token}"},
    )
    return Plane(control, http, port)


@pytest.fixture
async def plane(project: Config, anyio_backend: str) -> AsyncIterator[Plane]:
    plane = await start_plane(project)
    yield plane
    await plane.stop()


class Side(ThreadingHTTPServer):
    """An application that answers everything and says which side it is; ``fail`` makes it answer 500."""

    daemon_threads = True

    def __init__(self, name: str) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.name, self.fail = name, False

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Answer(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Side

    def do_GET(self) -> None:
        body = self.server.name.encode()
        self.send_response(500 if self.server.fail else 200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET

    def log_message(self, *arguments: object) -> None:
        """Quiet."""


@pytest.fixture(scope="session")
def sides() -> Iterator[tuple[Side, Side]]:
    both = Side("legacy"), Side("new")
    for side in both:
        threading.Thread(target=side.serve_forever, daemon=True).start()
    yield both
    for side in both:
        side.shutdown()
        side.server_close()


@dataclass
class Ran:
    """One command as a user ran it."""

    exit: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@dataclass
class Stack:
    """Real processes on a project of their own: the control plane, and what a test adds."""

    folder: Path
    ports: Ports
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    http: httpx.Client = field(default_factory=lambda: httpx.Client(trust_env=False, verify=False))

    @property
    def environment(self) -> dict[str, str]:
        return {**os.environ, "STRANGLER_CONFIG": str(self.folder / "strangler.toml"), "COLUMNS": "100"}

    def start(self, name: str, *command: str) -> None:
        log = (self.folder / f"{name}.log").open("ab")
        self.running[name] = subprocess.Popen(command, stdout=log, stderr=log, env=self.environment)
        log.close()

    def start_control(self) -> None:
        self.start("control", sys.executable, "-m", "strangler.control")
        assert self.ports.control is not None
        self.await_ok("control", f"http://127.0.0.1:{self.ports.control.api}/health")

    def start_envoy(self) -> None:
        assert self.ports.control is not None
        assert self.ports.envoy is not None
        envoy = self.ports.envoy
        file = self.folder / "envoy.json"
        listen, admin = ("127.0.0.1", envoy.listen), ("127.0.0.1", envoy.admin)
        bootstrap.write(file, node_id="envoy-1", listen=listen, admin=admin, xds=("127.0.0.1", self.ports.control.xds))
        command = [bootstrap.envoy_path(), "-c", str(file), "--concurrency", "1", "--use-dynamic-base-id", "-l", "warn"]
        self.start("envoy", *command)
        self.await_ok("envoy", f"http://127.0.0.1:{envoy.listen}/__strangler/version")

    def await_ok(self, name: str, url: str) -> None:
        until = time.monotonic() + 60
        while time.monotonic() < until:
            if self.running[name].poll() is not None:
                pytest.fail(f"{name} died: {(self.folder / f'{name}.log').read_text()[-2000:]}")
            try:
                if self.http.get(url).status_code == 200:
                    return
            except httpx.TransportError:
                time.sleep(0.05)
        pytest.fail(f"{name} did not come up: {(self.folder / f'{name}.log').read_text()[-2000:]}")

    def kill(self, name: str, number: int = signal.SIGTERM) -> int:
        process = self.running.pop(name)
        process.send_signal(number)
        return process.wait(30)

    def strangler(self, *arguments: str) -> Ran:
        """In this process, which spares a second of imports a command; the program's own ``main``."""
        out, err = io.StringIO(), io.StringIO()
        with mock.patch.dict(os.environ, self.environment), redirect_stdout(out), redirect_stderr(err):
            exit = main(arguments)
        return Ran(int(exit), out.getvalue(), err.getvalue())

    def typed(self, *arguments: str) -> Ran:
        """In a process of its own, as a user's shell does it."""
        command = [sys.executable, "-m", "strangler.cli", *arguments]
        done = subprocess.run(command, capture_output=True, text=True, env=self.environment, timeout=150)
        return Ran(done.returncode, done.stdout, done.stderr)

    def events(self, kind: str, capability: str, body: dict[str, object]) -> Iterator[dict[str, Any]]:
        """The events of an advance or a rollback as they come, until somebody kills the control plane."""
        assert self.ports.control is not None
        token = (self.folder / ".strangler" / "state" / "token").read_text().strip()
        url = f"http://127.0.0.1:{self.ports.control.api}/v1/capabilities/{capability}/{kind}"
        headers = {"Authorization": f"Bearer {token}"}
        with suppress(httpx.TransportError), httpx.stream("POST", url, json=body, headers=headers, timeout=120) as told:
            for line in told.iter_lines():
                yield json.loads(line)

    def get(self, path: str, user: str) -> httpx.Response:
        """Through the proxy."""
        assert self.ports.envoy is not None
        url = f"http://127.0.0.1:{self.ports.envoy.listen}{path}"
        return self.http.get(url, headers={"cookie": f"strangler_uid={user}"})

    def end(self) -> None:
        self.http.close()
        for name in [*self.running]:
            self.kill(name)


StackMaker = Callable[[str], Stack]


@pytest.fixture(scope="module")
def make_stack() -> Iterator[StackMaker]:
    """``make_stack(toml)`` puts a project into a folder of its own, with free ports; ended with the module."""
    made: list[Stack] = []

    def make(toml: str) -> Stack:
        folder = Path(tempfile.mkdtemp(prefix="strangler-stack-"))
        (folder / "strangler.toml").write_text(toml)
        ports = Ports(
            control=ControlPorts(api=free_port(), xds=free_port()),
            envoy=EnvoyPorts(listen=free_port(), admin=free_port()),
        )
        ports.write(folder / ".strangler" / "run")
        made.append(Stack(folder, ports))
        return made[-1]

    yield make
    for stack in made:
        stack.end()
        shutil.rmtree(stack.folder)
