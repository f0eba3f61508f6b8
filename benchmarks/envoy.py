"""Envoys for benchmarks: an upstream that answers at once, a bare forwarder, the proxy as the toolkit configures it."""

from __future__ import annotations

import asyncio
import http.client
import json
import os
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from proxy.envoy.bootstrap import FASTER, envoy_path, write
from proxy.flags import Edit, FlagSet, edit
from proxy.publish import Flipper
from proxy.routes import Access, Route, RouteTable, Upstream
from proxy.settings import ProxySettings
from proxy.store import FlagStore, engine_for
from proxy.xds.server import AdsServer

BODY = "x" * 500
READY_S = 20.0
_TYPE = "type.googleapis.com/envoy.extensions.filters"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Server:
    """A running Envoy."""

    port: int
    process: subprocess.Popen[bytes]

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()

    def await_ready(self, path: str = "/") -> None:
        """Raises RuntimeError when it doesn't serve in time."""
        end = time.monotonic() + READY_S
        while time.monotonic() < end and self.process.poll() is None:
            try:
                connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=2)
                connection.request("GET", path)
                if connection.getresponse().status == 200:
                    return
            except OSError:
                time.sleep(0.05)
            finally:
                connection.close()
        raise RuntimeError(f"Envoy on port {self.port} doesn't serve; its exit status is {self.process.poll()}")


def upstream(folder: Path, core: int | None = None) -> Server:
    """Answers everything with 200 and 500 bytes, at the least cost."""
    entry = {"match": {"prefix": "/"}, "direct_response": {"status": 200, "body": {"inline_string": BODY}}}
    return _static(folder, "upstream", entry, [], core, lean=True)


def bare(folder: Path, to: int, core: int | None = None, *, lean: bool = False) -> Server:
    """Forwards everything: Envoy as its documentation starts it; ``lean`` leaves out what can be left out."""
    cluster = {
        "name": "to",
        "type": "STATIC",
        "load_assignment": {
            "cluster_name": "to",
            "endpoints": [{"lb_endpoints": [{"endpoint": {"address": _address(to)}}]}],
        },
    }
    name = "lean" if lean else "bare"
    return _static(folder, name, {"match": {"prefix": "/"}, "route": {"cluster": "to"}}, [cluster], core, lean=lean)


def _static(folder: Path, name: str, entry: Any, clusters: list[Any], core: int | None, *, lean: bool) -> Server:
    router: dict[str, Any] = {"@type": f"{_TYPE}.http.router.v3.Router"}
    manager: dict[str, Any] = {
        "@type": f"{_TYPE}.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": name,
        "route_config": {"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": [entry]}]},
    }
    if lean:
        router |= {"suppress_envoy_headers": True, "dynamic_stats": False}
        manager["generate_request_id"] = False
    manager["http_filters"] = [{"name": "envoy.filters.http.router", "typed_config": router}]
    port = free_port()
    listener = {
        "address": _address(port),
        "filter_chains": [{"filters": [{"name": "hcm", "typed_config": manager}]}],
    }
    file = folder / f"{name}.json"
    file.write_text(json.dumps({"static_resources": {"listeners": [listener], "clusters": clusters}}))
    return Server(port, start(file, folder / f"{name}.log", core))


def _address(port: int) -> dict[str, Any]:
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}


def start(bootstrap: Path, log: Path, core: int | None) -> subprocess.Popen[bytes]:
    """An Envoy with one worker, on one core if one is given."""
    with log.open("ab") as out:
        process = subprocess.Popen(
            [envoy_path(), "-c", str(bootstrap), "--concurrency", "1", "--use-dynamic-base-id", "-l", "error", *FASTER],
            stdout=out,
            stderr=out,
        )
    if core is not None:
        os.sched_setaffinity(process.pid, {core})
    return process


def table(routes: int, to: int) -> RouteTable:
    """``routes`` read routes, two thirds with a parameter, of capabilities of 17 to 20 routes."""
    capabilities = max(1, round(routes / 17 if routes < 100 else routes / 20))
    side = Upstream("side", (("127.0.0.1", to),))
    made = tuple(
        Route(
            f"c{n % capabilities}",
            "GET",
            f"/api/c{n % capabilities}/r{n}" + ("/{id}" if n % 3 else ""),
            Access.READ,
        )
        for n in range(routes)
    )
    return RouteTable(side, {f"c{n}": side for n in range(capabilities)}, made)


@dataclass
class Full:
    """The proxy in full configuration with its control plane in this event loop."""

    server: Server
    ads: AdsServer
    store: FlagStore
    flipper: Flipper
    table: RouteTable

    async def flip(self, capability: str, percent: float) -> float:
        """Change a capability's percent; milliseconds from the call to the acknowledgement."""
        flags = edit(self.flipper.flags, self.table, capability, Edit(percent=percent))
        return (await self.flipper.flip(flags, actor="bench", reason="bench", action="bench")).ms

    async def stop(self) -> None:
        self.server.stop()
        await self.ads.stop()
        self.store.engine.dispose()


async def full(folder: Path, routes: int, to: int, core: int | None = None) -> Full:
    """Cookie identity, signed cohorts and overrides, fallback, headers and figures; canaries at 40 %, one at 100 %."""
    settings = ProxySettings(cohorts=frozenset({"staff"}), key=os.urandom(32), salt="bench")
    store = FlagStore(engine_for(f"sqlite:///{folder / 'control.db'}"))
    store.create()
    ads = AdsServer("127.0.0.1", 0, snapshot_file=folder / "snapshot")
    xds = await ads.start()
    routes_ = table(routes, to)
    flipper = Flipper(store, ads, routes_, settings)
    await flipper.start()
    flags = FlagSet(0)
    for number, capability in enumerate(sorted(routes_.new)[:3]):
        flags = edit(flags, routes_, capability, Edit(percent=100 if number == 2 else 40))
    await flipper.flip(FlagSet(1, flags.flags), actor="bench", reason="start", action="bench")
    port = free_port()
    bootstrap = folder / f"full-{routes}.json"
    loopback = "127.0.0.1"
    write(
        bootstrap,
        node_id="bench",
        listen=(loopback, port),
        admin=(loopback, free_port()),
        xds=(loopback, xds),
    )
    server = Server(port, start(bootstrap, folder / "full.log", core))
    await asyncio.to_thread(server.await_ready, "/__strangler/version")
    return Full(server, ads, store, flipper, routes_)
