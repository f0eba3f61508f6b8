from __future__ import annotations

from pathlib import Path

import pytest

from loadtests.responses import Record, ResponseLog, read
from loadtests.summary import summarise


def record(side: str, us: int, ok: bool = True, user: int = 1) -> Record:
    return Record(1, user, side, "GET /api/items", 3, 200 if ok else 500, ok, us)


def test_numbers_by_side() -> None:
    records = [record("legacy", us * 1000) for us in range(1, 101)]
    records += [record("new", 2_000, user=2), record("new", 9_000, ok=False, user=2)]
    found = summarise(records)
    assert (found.requests, found.errors, found.users) == (102, 1, 2)
    assert (found.by_side, found.errors_by_side) == ({"legacy": 100, "new": 2}, {"new": 1})
    assert found.by_route == {"GET /api/items": {"legacy": 100, "new": 2}}
    assert (found.p50_ms, found.p99_ms) == ({"legacy": 50.0, "new": 2.0}, {"legacy": 99.0, "new": 9.0})
    assert found.max_ms["legacy"] == 100.0


def test_nothing_is_zero() -> None:
    assert summarise([]).as_json()["requests"] == 0


def test_records_come_back_as_written_and_a_cut_line_is_left_out(tmp_path: Path) -> None:
    log = ResponseLog(tmp_path)
    written = [record("legacy", 5), record("new", 7, ok=False)]
    for each in written:
        log.write(each)
    log.close()
    with (tmp_path / "responses.tsv").open("a") as file:
        file.write("17\t1\tle")
    assert list(read(tmp_path)) == written
    with (tmp_path / "responses.tsv").open("a") as file:
        file.write("\n")
    with pytest.raises(ValueError, match=r"responses\.tsv:3: 3 columns where 9 belong"):
        list(read(tmp_path))
