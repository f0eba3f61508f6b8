"""Versions and real Envoys: invariants 1 and 4. Who kills things starts its own."""

from __future__ import annotations

import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from envoy.config.route.v3 import route_pb2

from proxy.envoy import names
from proxy.envoy.snapshot import Resource, Snapshot, snapshot
from proxy.settings import ProxySettings
from proxy.store import Conflict, Outcome
from proxy.xds import file
from proxy.xds.server import AdsServer, Refused
from tests.proxy.rig import Client, Envoy, Plane, free_port, python, shop_table, until
from tests.proxy.upstream import Upstream

pytestmark = pytest.mark.real

Stop = Callable[[], Counter[str]]


@pytest.fixture
def envoys(folder: Path) -> Iterator[Callable[..., Envoy]]:
    """Starts Envoys, and ends them."""
    made: list[Envoy] = []

    def make(xds: int, **rest: object) -> Envoy:
        made.append(Envoy(folder, xds, **rest))  # type: ignore[arg-type]
        made[-1].start()
        return made[-1]

    yield make
    for one in made:
        one.kill()


@pytest.fixture
def own_plane(folder: Path, legacy: Upstream, new: Upstream) -> Iterator[Plane]:
    plane = Plane(folder, shop_table(legacy.port, new.port), ProxySettings())
    yield plane
    plane.stop()


def broken(good: Snapshot, version: int) -> Snapshot:
    """A version whose routes Envoy must refuse: an expression that is none."""
    config = route_pb2.RouteConfiguration.FromString(good.resources[names.ROUTES][0].value)
    config.virtual_hosts[0].ClearField("matcher")
    config.virtual_hosts[0].routes.add().match.safe_regex.regex = "("
    config.virtual_hosts[0].routes[0].route.cluster = names.LEGACY_CLUSTER
    bad = Resource(names.ROUTE_CONFIG_NAME, config.SerializeToString())
    return snapshot(version, {**good.resources, names.ROUTES: (bad,)})


def test_applied_means_that_every_connected_proxy_has_it(own_plane: Plane, envoys: Callable[..., Envoy]) -> None:
    first, second = envoys(own_plane.port, node="one"), envoys(own_plane.port, node="two")
    for percent in (10, 20, 30):
        applied = own_plane.set("catalog", percent=percent)
        assert [(one.id, one.applied) for one in applied.proxies] == [
            ("one", applied.version),
            ("two", applied.version),
        ]
        for one in (first, second):
            until(lambda one=one, applied=applied: one.version() == applied.version, "workers follow")
    first.kill()
    until(lambda: len(own_plane.ads.proxies()) == 1, "the dead one is no longer counted")
    assert [one.id for one in own_plane.set("catalog", percent=40).proxies] == ["two"]


def test_with_no_proxy_a_version_is_kept_for_who_comes(own_plane: Plane, envoys: Callable[..., Envoy]) -> None:
    applied = own_plane.set("catalog", percent=100)
    assert applied.proxies == ()
    envoy = envoys(own_plane.port)
    assert envoy.version() == applied.version
    assert Client(envoy.listen)("/api/items").side == "new"


def test_a_refusal_is_shown_with_its_reason_and_the_old_version_stays(
    own_plane: Plane, envoys: Callable[..., Envoy], monkeypatch: pytest.MonkeyPatch
) -> None:
    envoy = envoys(own_plane.port)
    good = own_plane.set("catalog", percent=100)
    builder = own_plane.flipper._builder
    with monkeypatch.context() as patch:
        build = builder.build
        patch.setattr(builder, "build", lambda flags: broken(build(flags), flags.version))
        with pytest.raises(Refused) as refused:
            own_plane.set("catalog", percent=0)
    reason = refused.value.reasons["envoy-1"]
    assert reason.startswith("routes: ")
    assert "missing )" in reason
    assert not refused.value.timed_out
    assert own_plane.flipper.flags.version == own_plane.store.current().version == good.version
    assert envoy.version() == good.version
    assert Client(envoy.listen)("/api/items").side == "new"
    (proxy,) = own_plane.ads.proxies()
    assert proxy.applied == good.version
    assert proxy.last_nack is not None
    assert "missing )" in proxy.last_nack
    newest = own_plane.store.history(1)[0]
    assert (newest.outcome, newest.version) == (Outcome.REFUSED, good.version + 1)
    assert "missing )" in newest.detail
    # The number of a refused version is not used again, and the next flip goes through.
    assert own_plane.set("catalog", percent=50).version == good.version + 2


def test_one_proxy_that_refuses_takes_the_version_from_the_others_too(
    own_plane: Plane, envoys: Callable[..., Envoy]
) -> None:
    """The listener of the second one can't be: its port is taken by a server that shares it with nobody."""
    taken = Upstream("squatter")
    fine = envoys(own_plane.port, node="fine")
    good = own_plane.flipper.flags.version
    bad = Envoy(fine.folder, own_plane.port, node="bad", listen=taken.port)
    try:
        bad.start(wait=False)
        until(lambda: any(one.id == "bad" and one.last_nack for one in own_plane.ads.proxies()), "it refuses")
        with pytest.raises(Refused, match=f"bad: listener: .*{taken.port}"):
            own_plane.set("catalog", percent=100)
        until(lambda: fine.version() == good, "the other one is back at the good version")
        assert own_plane.store.current().version == good
    finally:
        bad.kill()
        taken.close()
    until(lambda: len(own_plane.ads.proxies()) == 1, "it is gone")
    assert own_plane.set("catalog", percent=100).version == good + 2


def test_a_proxy_that_is_silent_makes_a_flip_fail_and_a_rollback_count(
    folder: Path, own_plane: Plane, envoys: Callable[..., Envoy]
) -> None:
    first, second = envoys(own_plane.port, node="one"), envoys(own_plane.port, node="two")
    good = own_plane.set("catalog", percent=100).version
    own_plane.ads._ack_timeout_s = 0.5
    assert second.process is not None
    second.process.send_signal(19)  # SIGSTOP
    try:
        with pytest.raises(Refused) as refused:
            own_plane.set("catalog", percent=50)
        assert refused.value.timed_out
        assert list(refused.value.reasons) == ["two"]
        until(lambda: first.version() == good, "undone")
        with pytest.raises(Refused):
            own_plane.back("catalog")
        assert Client(first.listen)("/api/items").side == "legacy", "a rollback isn't held up by one silent proxy"
    finally:
        second.process.send_signal(18)
    version = own_plane.flipper.flags.version
    until(lambda: second.version() == version, "the silent one follows when it can")


def test_two_flips_at_once_are_one_conflict(own_plane: Plane) -> None:
    flags = own_plane.flipper.flags
    own_plane.set("catalog", percent=10)
    with pytest.raises(Conflict, match="version 1, not 0"):
        own_plane.flip(type(flags)(flags.version + 1, {}))


def test_new_upstreams_arrive_before_the_routes_that_name_them_and_old_ones_leave_after(
    folder: Path, legacy: Upstream, new: Upstream, envoys: Callable[..., Envoy]
) -> None:
    port = free_port()
    table = shop_table(legacy.port, new.port)
    plane = Plane(folder, table, ProxySettings(), port)
    envoy = envoys(port)
    plane.set("catalog", percent=100)
    plane.stop()
    stop = traffic(envoy, "/api/items")
    # The same capability under another name: every cluster of it is another one.
    renamed = type(table)(
        table.legacy,
        {"listing" if name == "catalog" else name: side for name, side in table.new.items()},
        tuple(
            type(route)("listing" if route.capability == "catalog" else route.capability, *_rest(route))
            for route in table.routes
        ),
    )
    plane = Plane(folder, renamed, ProxySettings(), port)
    try:
        until(lambda: plane.ads.proxies() and plane.ads.proxies()[0].applied is not None, "the proxy is back")
        plane.set("listing", percent=50)
        until(lambda: "new:catalog" not in clusters(envoy), "the old clusters are gone in the end")
        assert set(stop()) == {"200"}
    finally:
        plane.stop()


def _rest(route: object) -> tuple[object, ...]:
    return tuple(getattr(route, name) for name in ("method", "path", "access", "idempotent"))


def clusters(envoy: Envoy) -> set[str]:
    text = Client(envoy.admin)("/clusters").body.decode()
    return {line.partition("::")[0] for line in text.splitlines()}


def traffic(envoy: Envoy, path: str, clients: int = 4) -> Stop:
    """Send all the time; the returned function ends it and counts answers by status, or by kind of failure."""
    counts: Counter[str] = Counter()
    stop = threading.Event()

    def send() -> None:
        client = Client(envoy.listen)
        while not stop.is_set():
            try:
                counts[str(client(path).status)] += 1
            except OSError as error:
                counts[type(error).__name__] += 1
                client.close()

    threads = [threading.Thread(target=send, daemon=True) for _ in range(clients)]
    for thread in threads:
        thread.start()

    def end() -> Counter[str]:
        stop.set()
        for thread in threads:
            thread.join()
        return counts

    return end


def test_flips_under_traffic_fail_no_request(own_plane: Plane, envoys: Callable[..., Envoy]) -> None:
    envoy = envoys(own_plane.port)
    stop = traffic(envoy, "/api/items/1")
    for percent in range(0, 101, 4):
        own_plane.set("catalog", percent=percent)
    own_plane.back("catalog")
    counts = stop()
    assert set(counts) == {"200"}
    assert counts["200"] > 100


class PlaneProcess:
    """tests/proxy/plane_process.py, to be killed."""

    def __init__(self, folder: Path, port: int, legacy: Upstream, new: Upstream) -> None:
        self.folder, self.port, self._sides = folder, port, (legacy.port, new.port)
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        (self.folder / "applied").unlink(missing_ok=True)
        arguments = ("-m", "tests.proxy.plane_process", str(self.folder), str(self.port), *map(str, self._sides))
        self.process = python(*arguments, log=self.folder / "plane.log")
        until(lambda: self.applied() is not None, "the control plane is up")

    def applied(self) -> int | None:
        try:
            text = (self.folder / "applied").read_text()
        except FileNotFoundError:
            return None
        return int(text) if text else None

    def percent(self, value: float) -> int:
        before = self.applied()
        assert self.process is not None
        assert self.process.stdin is not None
        self.process.stdin.write(f"{value}\n".encode())
        self.process.stdin.flush()
        return int(until(lambda: self.applied() != before and self.applied(), "it is applied"))

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None


@pytest.fixture
def plane_process(folder: Path, legacy: Upstream, new: Upstream) -> Iterator[PlaneProcess]:
    plane = PlaneProcess(folder, free_port(), legacy, new)
    plane.start()
    yield plane
    plane.kill()


def test_killing_the_control_plane_fails_no_request(plane_process: PlaneProcess, envoys: Callable[..., Envoy]) -> None:
    envoy = envoys(plane_process.port)
    version = plane_process.percent(100)
    stop = traffic(envoy, "/api/items")
    for down_s in (0.1, 0.6):
        plane_process.kill()
        time.sleep(down_s)
        assert envoy.version() == version, "it goes on with what it has"
        plane_process.start()
        version = plane_process.percent(100 - 10 * down_s)
        until(lambda version=version: envoy.version() == version, "it hears the new control plane")
    counts = stop()
    assert set(counts) == {"200"}
    assert counts["200"] > 100


@pytest.fixture
def standby(folder: Path, plane_process: PlaneProcess) -> Iterator[int]:
    """A standby for that control plane; its port."""
    port = free_port()
    arguments = ("--snapshot", str(folder / "snapshot"), "--port", str(port), "--primary-port", str(plane_process.port))
    process = python("-m", "proxy.xds.standby", *arguments, log=folder / "standby.log")
    yield port
    assert process.poll() is None, "the standby lives through all of it"
    process.terminate()
    assert process.wait(10) == 0


def test_envoy_started_while_the_control_plane_is_down_serves_the_last_applied_version(
    folder: Path, plane_process: PlaneProcess, standby: int, envoys: Callable[..., Envoy]
) -> None:
    envoy = envoys(plane_process.port, standby=standby)
    version = plane_process.percent(100)
    plane_process.kill()
    envoy.kill()
    envoy.start()
    assert envoy.version() == version
    assert Client(envoy.listen)("/api/items").side == "new"
    stop = traffic(envoy, "/api/items")
    plane_process.start()
    version = plane_process.percent(0)
    until(lambda: envoy.version() == version, "it is back with the control plane")
    assert set(stop()) == {"200"}


def test_the_snapshot_file_is_the_owners_alone_and_survives_nonsense(folder: Path, own_plane: Plane) -> None:
    own_plane.set("catalog", percent=10)
    path = folder / "snapshot"
    assert path.stat().st_mode & 0o777 == 0o600
    found = file.read(path)
    assert found is not None
    assert found.version == 1
    path.write_text("{")
    with pytest.raises(file.SnapshotFileError, match=r"snapshot is not a snapshot .* remove it"):
        file.read(path)


def test_a_taken_port_is_named(own_plane: Plane) -> None:
    with pytest.raises(OSError, match=f"127.0.0.1:{own_plane.port}: is the port taken"):
        own_plane.run(AdsServer("127.0.0.1", own_plane.port).start())
