"""Comparisons that outlive the control plane, and continuous mode: what is kept, gone on with, told."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import httpx
import pytest

from cdc.state import Detail, Direction, StreamState, StreamStatus, Wanted
from cdc.verify import Mark, Progress, TableResult, VerifyResult
from strangler.config import Config, Ports, load
from strangler.control.api.app import build
from strangler.control.bootstrap import ControlPlane, compose
from strangler.control.models import Verify
from strangler.control.streams import Streams
from strangler.control.verify_runs import RunKind
from strangler.evidence import Kind
from strangler.exits import Failed

pytestmark = pytest.mark.anyio

PROJECT = """
[project]
name = "test"
[databases.old]
url = "mysql://u:p@127.0.0.1:1/old"
[databases.new]
url = "mysql://u:p@127.0.0.1:1/new"
[legacy]
url = "http://127.0.0.1:18080"
database = "old"
[capability.catalog]
url = "http://127.0.0.1:18081"
database = "new"
routes = ["GET /api/items"]
[capability.catalog.tables.items]
from = "items"
key = { id = "id" }
[capability.catalog.verify]
continuous = true
continuous_rows_per_second = 500
"""
MARK = Mark("signature", ("700",), False, 700, 1.0)
EQUAL = VerifyResult("catalog", (TableResult("items", 1000, 2.0, rows_before=700),))
BENT = VerifyResult("catalog", (TableResult("items", 3, 0.1, missing=({"id": 5},), missing_total=1, in_flight=2),))


class Fake:
    """What the databases would answer."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        self.result = EQUAL
        self.error: Exception | None = None
        self.state = StreamState.STREAMING

    async def verify(self, name: str, *, progress: Any, marks: Any, **options: Any) -> VerifyResult:
        self.asked.append({"marks": marks.of("items") if marks else None, **options})
        progress(Progress("items", 700, 1000, 500.0, 1.0, "500 rows a second are allowed"))
        if self.error is not None:
            marks.keep("items", MARK)
            raise self.error
        return self.result

    async def verify_changed(self, name: str) -> VerifyResult:
        return self.result

    async def status(self, name: str) -> StreamStatus:
        return StreamStatus(name, Direction.TO_NEW, Wanted.RUNNING, self.state, None, 0, 0.1, Detail(lag_seconds=0.1))


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Fake:
    fake = Fake()
    for name in ("verify", "verify_changed", "status"):
        monkeypatch.setattr(Streams, name, staticmethod(getattr(fake, name)))
    return fake


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Config:
    (tmp_path / "strangler.toml").write_text(PROJECT)
    monkeypatch.setenv("STRANGLER_CONFIG", str(tmp_path / "strangler.toml"))
    Ports().write(tmp_path / ".strangler" / "run")
    return load()


async def started(project: Config) -> ControlPlane:
    control = await asyncio.to_thread(compose, project, xds=("127.0.0.1", 0))
    await control.start()
    return control


async def gone_on(control: ControlPlane) -> None:
    await asyncio.gather(*control.comparer._tasks)


async def events(control: ControlPlane, **asked: Any) -> list[dict[str, Any]]:
    return [event async for event in await control.comparer.compare("catalog", Verify(**asked))]


async def test_a_comparison_that_was_cut_off_is_gone_on_with_after_a_restart(project: Config, fake: Fake) -> None:
    fake.error = Failed("the comparison was interrupted")
    control = await started(project)
    assert (await events(control))[-1]["event"] == "error"
    assert control.evidence.latest("catalog", Kind.VERIFY) is None
    (left,) = control.comparer._runs.unfinished(RunKind.ASKED)
    await control.stop()

    fake.error = None
    again = await started(project)
    await gone_on(again)
    assert fake.asked[-1] == {"marks": MARK, "tables": None, "repair": False}
    evidence = again.evidence.latest("catalog", Kind.VERIFY)
    assert evidence is not None
    assert evidence.data["began_at"] == left.began_at.isoformat()
    assert again.comparer._runs.unfinished(RunKind.ASKED) == []
    await again.stop()


async def test_somebody_who_asks_goes_on_with_it_or_begins_anew(project: Config, fake: Fake) -> None:
    control = await started(project)
    for asked, resumed in (({}, True), ({"anew": True}, False)):
        fake.error = Failed("a database is away")
        await events(control, anew=True)
        fake.error = None
        seen = await events(control, **asked)
        assert [event["rows"] for event in seen if event["event"] == "resumed"] == [700] * resumed
        assert fake.asked[-1]["marks"] == (MARK if resumed else None)
    await control.stop()


async def test_a_repair_that_was_cut_off_is_not_done_behind_anybodys_back(project: Config, fake: Fake) -> None:
    control = await started(project)
    fake.error = Failed("a database is away")
    await events(control, repair=True, reason="mend")
    await control.stop()
    fake.error = None
    again = await started(project)
    await gone_on(again)
    assert [asked["repair"] for asked in fake.asked] == [True, False]
    await again.stop()


async def test_a_round_is_slow_goes_on_where_it_was_and_is_evidence(project: Config, fake: Fake) -> None:
    control = await started(project)
    fake.error = Failed("a database is away")
    with pytest.raises(Failed):
        await control.continuous.round("catalog")
    fake.error = None
    await control.continuous.round("catalog")
    assert fake.asked[-1]["marks"] == MARK
    limits = fake.asked[-1]["limits"]
    assert (limits.max_rows_per_second, limits.sessions, limits.chunk_rows) == (500, 1, 500)
    evidence = control.evidence.latest("catalog", Kind.VERIFY)
    assert evidence is not None
    assert evidence.summary == "1,000 rows equal"
    seen = control.continuous.seen("catalog")
    assert seen is not None
    assert seen["last"]["equal"] is True
    assert seen["round"]["waiting"] == "500 rows a second are allowed"
    await control.stop()


async def test_hot_rows_that_differ_are_in_the_status_and_once_in_the_evidence(project: Config, fake: Fake) -> None:
    control = await started(project)
    fake.result = BENT
    for _ in range(2):
        await control.continuous.hot("catalog")
    assert [e.summary for e in control.evidence.list("catalog")] == ["1 of 3 rows changed lately differs"]
    headers = {"Authorization": f"Bearer {control.token}"}
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(build(control)), base_url="http://control/v1", headers=headers
    ) as http:
        (capability,) = (await http.get("/status/catalog")).json()["capabilities"]
    hot = capability["continuous"]["hot"]
    assert (hot["rows"], hot["different"], hot["in_flight"], hot["keys"]) == (6, 1, 4, ["items id=5"])
    fake.result = EQUAL
    await control.continuous.hot("catalog")
    seen = control.continuous.seen("catalog")
    assert seen is not None
    assert (seen["hot"]["different"], seen["hot"]["keys"]) == (0, [])
    await control.stop()


async def test_without_a_stream_it_waits_and_says_so(project: Config, fake: Fake) -> None:
    fake.state = StreamState.PAUSED
    control = await started(project)
    loop = asyncio.create_task(control.continuous.run())
    async with asyncio.timeout(5):
        while (seen := control.continuous.seen("catalog")) is None or seen["why"] != "its stream is paused":
            await asyncio.sleep(0.005)
    loop.cancel()
    assert fake.asked == []
    await control.stop()


async def test_what_was_cut_off_waits_for_the_stream(project: Config, fake: Fake) -> None:
    """Without it, rows in flight would be evidence of differences."""
    fake.error = Failed("the comparison was interrupted")
    control = await started(project)
    await events(control)
    await control.stop()
    fake.error, fake.state = None, StreamState.NOT_RUNNING
    again = await started(project)
    await asyncio.sleep(0)
    assert len(fake.asked) == 1
    await again.stop()
    assert again.comparer._runs.unfinished(RunKind.ASKED) != []
