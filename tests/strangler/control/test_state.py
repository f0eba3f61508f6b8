"""The control plane's own state keeps its promises on SQLite and on MySQL by URL."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, update

from cdc.verify import Mark
from proxy.store import engine_for
from strangler.control import tables
from strangler.control.audit import Audit, Entry
from strangler.control.evidence_store import EvidenceStore
from strangler.control.phase_store import PhaseStore, Standing
from strangler.control.verify_runs import STALE_AFTER, RunKind, Unfinished, VerifyRuns
from strangler.evidence import Evidence, Kind, Traffic
from strangler.phases import Phase

NOW = datetime(2026, 3, 1, 23, 4, 5, 678901, UTC)


@pytest.fixture(params=["sqlite", pytest.param("mysql", marks=pytest.mark.real)])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'control.db'}"
    else:
        url = request.getfixturevalue("fresh_schema")(request.getfixturevalue("mysql_new")).url
    engine = engine_for(url)
    tables.create(engine)
    tables.create(engine)  # a second start finds what the first one made
    yield engine
    tables.metadata.drop_all(engine)
    engine.dispose()


def test_marks_of_a_comparison_come_back_until_it_ends_or_is_stale(engine: Engine) -> None:
    runs, mark = VerifyRuns(engine), Mark("s", ("7", "_utf8mb4 x'41'"), False, 70, 1.5, (("1",),), 1, 2, 3, 4, 5)
    run = runs.begin("catalog", RunKind.ASKED, ["items"], NOW)
    assert run.of("items") is None
    run.keep("items", mark)
    runs.begin("catalog", RunKind.ROUND, [], NOW).keep("items", replace(mark, rows=1))
    again = runs.begin("catalog", RunKind.ASKED, ["items"], NOW + timedelta(hours=1))
    assert (again.of("items"), again.began_at, again.rows) == (mark, NOW, 70)
    assert runs.unfinished(RunKind.ASKED) == [Unfinished("catalog", ("items",), NOW)]
    later = NOW + STALE_AFTER + timedelta(seconds=1)
    assert runs.begin("catalog", RunKind.ASKED, [], later).of("items") is None
    runs.end("catalog", RunKind.ASKED)
    assert runs.unfinished(RunKind.ASKED) == []
    assert len(runs.unfinished(RunKind.ROUND)) == 1


def test_phases_evidence_and_audit_come_back_as_they_went_in(engine: Engine) -> None:
    standing = Standing("catalog", Phase.CANARY, NOW, "oncall", "début", {"new": Traffic(10, 1)})
    phases = PhaseStore(engine)
    assert phases.of("catalog").phase is Phase.LEGACY
    phases.enter(replace(standing, phase=Phase.SYNCED))
    phases.enter(standing)
    assert phases.of("catalog") == standing

    evidence = EvidenceStore(engine)
    found = Evidence("catalog", Kind.VERIFY, NOW, True, "1,204 rows equal", {"rows": 1204})
    evidence.add(found)
    assert evidence.latest("catalog", Kind.VERIFY) == found

    audit = Audit(engine)
    entry = Entry(NOW, "oncall", "flag set", "catalog", "ünicode", {"percent": 1.5}, {"percent": 2}, 7)
    audit.write(entry)
    assert audit.list(capability="catalog") == [entry]


def test_state_of_a_newer_program_is_left_alone(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(update(tables.control_schema).values(version=tables.SCHEMA_VERSION + 1))
    with pytest.raises(tables.SchemaTooNew, match="run the newer one"):
        tables.create(engine)
