"""What a new control plane makes of what an old one left half done."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import pytest

from proxy.flags import Edit, edit
from proxy.routes import Side
from strangler.config import Config
from strangler.control.bootstrap import ControlPlane, compose
from strangler.control.operation import Operation
from strangler.control.phase_store import Standing
from strangler.control.writes import Settled
from strangler.phases import Phase

pytestmark = pytest.mark.anyio


async def started(project: Config) -> ControlPlane:
    control = await asyncio.to_thread(compose, project, xds=("127.0.0.1", 0))
    await control.start()
    return control


def operation(kind: str, before: Phase, wanted: Phase, flags: int) -> Operation:
    return Operation("20260101-000000-catalog", "catalog", kind, "ann", "why", datetime.now(UTC), before, flags, wanted)


async def send(control: ControlPlane, percent: float) -> None:
    flagging = control.flagging
    await flagging.flip(
        lambda f: edit(f, flagging.table, "catalog", Edit(percent=percent), reads_only=True),
        actor="ann",
        reason="why",
        action="test",
        rollback=True,
    )


async def test_publishes_the_last_version_again(project: Config) -> None:
    control = await started(project)
    await send(control, 30)
    await control.stop()
    again = await started(project)
    assert again.flagging.flags.version == 1
    assert again.flagging.flags.of("GET /api/items").percent == 30
    await again.stop()


async def test_an_advance_cut_off_after_its_flip_is_undone(project: Config) -> None:
    control = await started(project)
    phases, store = control.mover._phases, control.mover._operation_store
    phases.enter(Standing("catalog", Phase.SYNCED, control.now(), "ann", "before"))
    store.begin(operation("advance", Phase.SYNCED, Phase.CANARY, control.flagging.flags.version))
    await send(control, 30)
    await control.stop()

    again = await started(project)
    assert phases.of("catalog").phase is Phase.SYNCED
    assert again.flagging.flags.of("GET /api/items").percent == 0
    assert again.flagging.flags.version == 2  # undone by a version of its own
    assert store.unfinished() == []
    await again.stop()


async def test_a_rollback_cut_off_is_completed(project: Config) -> None:
    control = await started(project)
    phases, store = control.mover._phases, control.mover._operation_store
    phases.enter(Standing("catalog", Phase.READS, control.now(), "ann", "before"))
    await send(control, 100)
    store.begin(operation("rollback", Phase.READS, Phase.SYNCED, control.flagging.flags.version))
    await control.stop()

    again = await started(project)
    assert phases.of("catalog").phase is Phase.SYNCED
    assert again.flagging.flags.of("GET /api/items").pin == "legacy"
    assert store.unfinished() == []
    await again.stop()


async def test_an_advance_that_was_done_is_only_closed(project: Config) -> None:
    control = await started(project)
    phases, store = control.mover._phases, control.mover._operation_store
    store.begin(operation("advance", Phase.SYNCED, Phase.CANARY, control.flagging.flags.version))
    await send(control, 30)
    phases.enter(Standing("catalog", Phase.CANARY, control.now(), "ann", "before"))
    await control.stop()

    again = await started(project)
    assert again.flagging.flags.of("GET /api/items").percent == 30
    assert store.unfinished() == []
    await again.stop()


async def test_a_state_of_a_newer_program_is_refused(project: Config) -> None:
    from sqlalchemy import update

    from strangler.control.tables import SchemaTooNew, control_schema

    control = await started(project)
    with control.engine.begin() as connection:
        connection.execute(update(control_schema).values(version=99))
    await control.stop()
    with pytest.raises(SchemaTooNew, match="99"):
        compose(project, xds=("127.0.0.1", 0))


def test_a_token_that_others_can_read_is_refused(project: Config) -> None:
    from strangler.control.secret import SecretError, token

    folder: Path = project.state
    token(folder)
    (folder / "token").chmod(0o644)
    with pytest.raises(SecretError, match="chmod 600"):
        token(folder)


@pytest.mark.parametrize(
    ("before", "owner", "after"),
    [
        (Phase.READS, Side.NEW, Phase.WRITES),
        (Phase.WRITES, Side.LEGACY, Phase.READS),
        (Phase.READS, Side.LEGACY, Phase.READS),
        (Phase.WRITES, Side.NEW, Phase.WRITES),
    ],
)
async def test_a_repair_writes_down_the_phase_of_who_owns(
    project: Config, monkeypatch: pytest.MonkeyPatch, before: Phase, owner: Side, after: Phase
) -> None:
    control = await started(project)
    phases = control.mover._phases
    phases.enter(Standing("catalog", before, control.now(), "ann", "before"))

    async def repaired(*_: object, **__: object) -> list[Settled]:
        return [Settled("j1", "catalog", owner, "a move", "completed")]

    monkeypatch.setattr(control.mover._writes, "repair", repaired)
    assert [one["id"] for one in await control.mover.repair(actor="ann", dry_run=False)] == ["j1"]
    assert phases.of("catalog").phase is after
    await control.stop()
