"""Envoy, upstreams, a control plane and a client, all real and all on loopback."""

from __future__ import annotations

import asyncio
import http.client
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from proxy.envoy.bootstrap import FASTER, envoy_path, write
from proxy.flags import Edit, FlagSet, edit, rollback
from proxy.publish import Flipper
from proxy.routes import Access, Route, RouteTable
from proxy.routes import Upstream as Side_
from proxy.settings import ProxySettings
from proxy.store import FlagStore, engine_for
from proxy.xds.server import AdsServer, Applied
from strangler.dev.ports import free_port

T = TypeVar("T")
KEY = b"a key of the tests, 32 bytes long"


def until(true: Callable[[], Any], what: str, seconds: float = 15.0) -> Any:
    """Ask until it is true; fail with ``what`` when it never is."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := true():
            return found
        time.sleep(0.01)
    raise AssertionError(f"not within {seconds} s: {what}")


def shop_table(legacy: int, new: int, dead: int | None = None) -> RouteTable:
    """Two capabilities on one new upstream, and one whose new side nobody listens at."""

    def side(name: str, port: int) -> Side_:
        return Side_(name, (("127.0.0.1", port),), timeout_ms=1_000)

    return RouteTable(
        side("monolith", legacy),
        {"catalog": side("catalog", new), "promotions": side("promotions", new), "dead": side("dead", dead or 1)},
        (
            Route("catalog", "GET", "/api/items", Access.READ),
            Route("catalog", "GET", "/api/items/{id}", Access.READ),
            Route("catalog", "GET", "/api/items/new", Access.READ),
            Route("catalog", "POST", "/api/items", Access.WRITE),
            Route("catalog", "PUT", "/api/items/{id}", Access.WRITE, idempotent=True),
            Route("promotions", "GET", "/api/promotions/{code}", Access.READ),
            Route("promotions", "GET", "/api/promotions/{code}/terms", Access.READ),
            Route("dead", "GET", "/api/dead", Access.READ),
            Route("dead", "POST", "/api/dead", Access.WRITE),
        ),
    )


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def side(self) -> str:
        return self.headers["x-strangler-side"]

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def cookie(self) -> str | None:
        """The identity the proxy handed out with this answer."""
        given = self.headers.get("set-cookie", "")
        return given.partition(";")[0].partition("=")[2] if given.startswith("strangler_uid=") else None


class Client:
    """One connection, kept open."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)

    def __call__(
        self, path: str, method: str = "GET", headers: dict[str, str] | None = None, body: bytes | None = None
    ) -> Answer:
        self._connection.request(method, path, body=body, headers=headers or {})
        response = self._connection.getresponse()
        return Answer(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read())

    def as_user(self, user: str, path: str, **rest: Any) -> Answer:
        return self(path, headers={"cookie": f"theme=dark; strangler_uid={user}"}, **rest)

    def close(self) -> None:
        self._connection.close()


@dataclass
class Envoy:
    """One Envoy process."""

    folder: Path
    xds: int
    standby: int | None = None
    node: str = "envoy-1"
    listen: int = field(default_factory=free_port)
    admin: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    def start(self, *, wait: bool = True) -> None:
        bootstrap = self.folder / f"{self.node}.json"
        loopback = "127.0.0.1"
        write(
            bootstrap,
            node_id=self.node,
            listen=(loopback, self.listen),
            admin=(loopback, self.admin),
            xds=(loopback, self.xds),
            standby=None if self.standby is None else (loopback, self.standby),
        )
        with (self.folder / f"{self.node}.log").open("ab") as log:
            self.process = subprocess.Popen(
                [
                    *(envoy_path(), "-c", str(bootstrap), "--concurrency", "1"),
                    *("--use-dynamic-base-id", "-l", "warning", *FASTER),
                ],
                stdout=log,
                stderr=log,
            )
        if wait:
            until(lambda: self.version() is not None, "Envoy serves")

    def version(self) -> int | None:
        """What the worker answers to the version probe; None while nobody listens."""
        try:
            client = Client(self.listen)
            answer = client("/__strangler/version")
            client.close()
        except OSError:
            return None
        return int(answer.body) if answer.status == 200 else None

    def kill(self) -> None:
        if self.process is not None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
            self.process = None


class Plane:
    """A control plane in this process, on an event loop of its own thread."""

    def __init__(self, folder: Path, table: RouteTable, settings: ProxySettings, port: int = 0) -> None:
        self.table = table
        self.settings = settings
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self._thread.start()
        self.store = FlagStore(engine_for(f"sqlite:///{folder / 'control.db'}"))
        self.store.create()
        self.ads = AdsServer("127.0.0.1", port, snapshot_file=folder / "snapshot", ack_timeout_s=5)
        self.port = self.run(self.ads.start())
        self.flipper = Flipper(self.store, self.ads, table, settings)
        self.run(self.flipper.start())

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(30)

    def flip(self, flags: FlagSet, **rest: Any) -> Applied:
        return self.run(self.flipper.flip(flags, actor="test", reason="because", action="flip", **rest))

    def set(self, capability: str, **change: Any) -> Applied:
        route = change.pop("route", None)
        return self.flip(
            edit(
                self.flipper.flags,
                self.table,
                capability,
                Edit(**change),
                route=route,
                known_cohorts=self.settings.cohorts,
            )
        )

    def back(self, capability: str) -> Applied:
        return self.flip(rollback(self.flipper.flags, self.table, capability), rollback=True)

    def reset(self) -> Applied:
        """All flags as they are at first."""
        return self.flip(FlagSet(self.flipper.flags.version + 1))

    def stop(self) -> None:
        self.run(self.ads.stop())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()
        self.store.engine.dispose()


def python(*arguments: str, log: Path) -> subprocess.Popen[bytes]:
    """A Python process of this project."""
    root = Path(__file__).parents[2]
    with log.open("ab") as out:
        return subprocess.Popen(
            [sys.executable, *arguments],
            cwd=root,
            env={**os.environ, "PYTHONPATH": str(root)},
            stdout=out,
            stderr=out,
            stdin=subprocess.PIPE,
        )
