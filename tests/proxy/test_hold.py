"""Writes that wait at a real Envoy while the side that owns them changes: invariants 16 and 18, the proxy's part."""

from __future__ import annotations

import http.client
import threading
import time
from collections import Counter
from dataclasses import dataclass, field

import pytest

from proxy.drain import Drain, NotDrained
from proxy.hold import hold, release
from proxy.routes import Side
from tests.proxy.rig import Client, Envoy, Plane, until
from tests.proxy.upstream import Upstream

pytestmark = pytest.mark.real


def held(plane: Plane, epoch: str, timeout_ms: int = 10_000) -> None:
    plane.flip(hold(plane.flipper.flags, plane.table, "catalog", epoch=epoch, timeout_ms=timeout_ms))


def released(plane: Plane, side: Side) -> None:
    plane.flip(release(plane.flipper.flags, plane.table, "catalog", side))


def drained(plane: Plane, side: Side, seconds: float = 5.0) -> None:
    plane.run(Drain(plane.ads.admins()).wait("catalog", side, seconds))


@dataclass
class Writers:
    """Clients that post one numbered request after the other, bodies of all kinds, and keep what they were told."""

    port: int
    answered: list[tuple[str, int, str]] = field(default_factory=list)  # path, status, side
    _stop: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)

    def start(self, number: int) -> None:
        for client in range(number):
            self._threads.append(threading.Thread(target=self._post, args=(client,)))
            self._threads[-1].start()

    def stop(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _post(self, client: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        for turn in range(10_000):
            if self._stop.is_set():
                break
            path = f"/api/items?n={client}-{turn}"
            if client % 4 == 0:
                pieces = iter([b"x" * 100_000] * 3)
                connection.request(
                    "POST", path, body=pieces, encode_chunked=True, headers={"transfer-encoding": "chunked"}
                )
            else:
                connection.request("POST", path, body=b"y" * (3_000_000 if client == 1 else client * 10))
            response = connection.getresponse()
            response.read()
            self.answered.append((path, response.status, response.headers["x-strangler-side"]))
        connection.close()


def test_moves_under_load_lose_nothing_double_nothing_and_fail_nothing(
    plane: Plane, envoy: Envoy, legacy: Upstream, new: Upstream
) -> None:
    seen_before = len(legacy.seen), len(new.seen)
    writers = Writers(envoy.listen)
    writers.start(16)
    owner, waited = Side.LEGACY, 0
    arrived: dict[Side, list[str]] = {Side.LEGACY: legacy.seen, Side.NEW: new.seen}
    try:
        for turn in range(6):
            time.sleep(0.15)
            other = Side.NEW if owner is Side.LEGACY else Side.LEGACY
            held(plane, f"t{turn}")
            drained(plane, owner)
            still = len(arrived[owner]), len(arrived[other])
            time.sleep(0.1)
            assert (len(arrived[owner]), len(arrived[other])) == still, "nobody gets a write while they are held"
            released(plane, other)
            owner = other
            time.sleep(0.1)
            waited += plane.run(Drain(plane.ads.admins()).released("catalog", f"t{turn}"))
    finally:
        writers.stop()
    assert waited >= 6 * 8
    assert {status for _, status, _ in writers.answered} == {200}
    came = Counter(path for _, path in [*legacy.seen[seen_before[0] :], *new.seen[seen_before[1] :]])
    assert came == Counter(path for path, _, _ in writers.answered)
    assert {side for _, _, side in writers.answered} == {"legacy", "new"}


def test_reads_and_other_capabilities_go_on(plane: Plane, envoy: Envoy, client: Client) -> None:
    held(plane, "reads", 2_000)
    try:
        until(lambda: envoy.version() == plane.flipper.flags.version, "the worker holds")
        assert client("/api/items/7").status == 200
        assert client("/api/dead", method="POST").side == "legacy"
    finally:
        released(plane, Side.LEGACY)


def test_a_hold_that_nobody_releases_answers_503_at_its_limit(plane: Plane, envoy: Envoy, client: Client) -> None:
    held(plane, "forgotten", 300)
    until(lambda: envoy.version() == plane.flipper.flags.version, "the worker holds")
    answer = client("/api/items", method="POST", body=b"late")
    assert (answer.status, answer.side) == (503, "proxy")
    released(plane, Side.LEGACY)
    until(lambda: envoy.version() == plane.flipper.flags.version, "the worker goes on")
    assert client("/api/items", method="POST").side == "legacy"


def test_neither_cohort_nor_override_takes_a_write_from_its_owner(plane: Plane, envoy: Envoy, client: Client) -> None:
    from proxy import cohort
    from tests.proxy.rig import KEY

    override = {cohort.HEADER: cohort.token(None, KEY, 60, override=Side.NEW)}
    assert client("/api/items", headers=override).side == "new"
    assert client("/api/items", method="POST", headers=override).side == "legacy"
    released(plane, Side.NEW)
    until(lambda: envoy.version() == plane.flipper.flags.version, "the worker has the new owner")
    override = {cohort.HEADER: cohort.token(None, KEY, 60, override=Side.LEGACY)}
    assert client("/api/items", method="POST", headers=override).side == "new"


def test_a_request_that_does_not_end_is_named(plane: Plane, envoy: Envoy, new: Upstream) -> None:
    released(plane, Side.NEW)
    until(lambda: envoy.version() == plane.flipper.flags.version, "writes go to new")
    connection = http.client.HTTPConnection("127.0.0.1", envoy.listen, timeout=10)
    connection.request("PUT", "/api/items/hang", body=b"slow")
    until(lambda: ("PUT", "/api/items/hang") in new.seen, "the request is under way")
    with pytest.raises(NotDrained, match=r"1 write of catalog on new did not end within 0\.2 s"):
        drained(plane, Side.NEW, 0.2)
    connection.close()
    drained(plane, Side.NEW)


def test_a_proxy_that_comes_during_a_hold_holds_too(plane: Plane, envoy: Envoy) -> None:
    held(plane, "joined")
    late = Envoy(envoy.folder, plane.port, node="envoy-late")
    late.start()
    answers: list[str] = []

    def post(port: int) -> None:
        client = Client(port)
        answers.append(client("/api/items", method="POST").side)
        client.close()

    posting = threading.Thread(target=post, args=(late.listen,))
    try:
        posting.start()
        time.sleep(0.3)
        assert not answers
        released(plane, Side.NEW)
        posting.join(5)
        assert answers == ["new"]
    finally:
        late.kill()
        posting.join()
