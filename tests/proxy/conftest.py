"""One Envoy with its control plane for all tests that only look at traffic; who kills things starts their own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from proxy.settings import ProxySettings
from tests.proxy.rig import KEY, Client, Envoy, Plane, shop_table, until
from tests.proxy.upstream import Upstream


@pytest.fixture(scope="session")
def legacy() -> Iterator[Upstream]:
    upstream = Upstream("legacy")
    yield upstream
    upstream.close()


@pytest.fixture(scope="session")
def new() -> Iterator[Upstream]:
    upstream = Upstream("new")
    yield upstream
    upstream.close()


@pytest.fixture(scope="session")
def _running(
    tmp_path_factory: pytest.TempPathFactory, legacy: Upstream, new: Upstream
) -> Iterator[tuple[Plane, Envoy]]:
    folder = tmp_path_factory.mktemp("proxy")
    settings = ProxySettings(cohorts=frozenset({"staff", "beta"}), key=KEY, salt="tests")
    plane = Plane(folder, shop_table(legacy.port, new.port), settings)
    envoy = Envoy(folder, plane.port)
    envoy.start()
    yield plane, envoy
    envoy.kill()
    plane.stop()


@pytest.fixture
def envoy(_running: tuple[Plane, Envoy]) -> Envoy:
    return _running[1]


@pytest.fixture
def plane(_running: tuple[Plane, Envoy]) -> Plane:
    """The shared control plane with all flags as at first."""
    plane, envoy = _running
    version = plane.reset().version
    until(lambda: envoy.version() == version, "the worker has the flags of the test's start")
    return plane


@pytest.fixture
def client(envoy: Envoy) -> Iterator[Client]:
    client = Client(envoy.listen)
    yield client
    client.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path
