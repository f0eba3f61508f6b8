"""A small project in a folder of its own, a control plane on it, and a proxy that can be told to refuse."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import grpc
import httpx
import pytest
from envoy.config.core.v3 import base_pb2
from envoy.service.discovery.v3 import discovery_pb2
from google.rpc import status_pb2

from proxy.envoy.snapshot import TYPES
from strangler.config import Config, Ports, load
from strangler.control.api.app import build
from strangler.control.bootstrap import ControlPlane, compose

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
