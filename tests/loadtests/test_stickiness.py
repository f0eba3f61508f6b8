from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtests.flips import Flip, read, record_flip
from loadtests.responses import Record, ResponseLog
from loadtests.stickiness import Growth, judge, main

ITEM, LIST, CART = "GET /api/items/{id}", "GET /api/items", "GET /api/cart"
#: 0 % in version 1, up to 40 % in 3, back to 0 % in 4, up again in 5.
FLIPS = [Flip(0, "catalog", percent, version) for version, percent in enumerate((0, 10, 40, 0, 40), 1)]


def met(user: int, version: int, side: str, route: str = ITEM) -> Record:
    return Record(1_000 + version, user, side, route, version, 200, True, 5_000)


def test_growing_into_new_and_staying_is_right() -> None:
    found = judge([met(1, 1, "legacy"), met(1, 2, "new"), met(1, 3, "new"), met(2, 3, "legacy")], FLIPS)
    assert (found.ok, found.users, found.both_sides) == (True, 2, 1)


def test_a_planted_move_back_is_found() -> None:
    found = judge([met(1, 2, "new"), met(1, 3, "legacy"), met(2, 3, "new")], FLIPS)
    assert (found.moved_back, found.mixed) == (1, 0)
    assert "user 1 was on new in version 2 and on legacy in 3" in found.examples[0]


def test_going_back_with_a_fallen_percent_is_right() -> None:
    assert judge([met(1, 3, "new"), met(1, 4, "legacy"), met(1, 5, "new")], FLIPS).ok


def test_a_late_response_of_an_older_version_is_no_move_back() -> None:
    assert judge([met(1, 3, "new"), met(1, 1, "legacy")], FLIPS).ok


def test_two_sides_in_one_version_are_mixed_whatever_the_route() -> None:
    found = judge([met(1, 3, "new", LIST), met(1, 3, "legacy", ITEM)], FLIPS)
    assert (found.moved_back, found.mixed) == (0, 1)


def test_routes_that_stay_and_answers_of_nobody_do_not_count() -> None:
    found = judge([met(1, 3, "new"), met(1, 3, "legacy", CART), met(1, 4, "-")], FLIPS)
    assert (found.ok, found.responses) == (True, 1)


def test_what_legacy_answered_because_new_failed_is_no_move_back() -> None:
    fallback = Record(1_003, 1, "legacy", ITEM, 3, 200, True, 5_000, fallback=True)
    found = judge([met(1, 2, "new"), met(1, 3, "new", LIST), fallback], FLIPS)
    assert (found.ok, found.fallbacks, found.both_sides) == (True, 1, 0)
    assert not judge([fallback, met(1, 3, "legacy", LIST)], FLIPS).ok, "the shopper belongs to new"


def test_without_flips_the_whole_run_is_one_stretch() -> None:
    assert judge([met(1, 3, "new"), met(1, 4, "legacy")], []).moved_back == 1


def test_another_capabilitys_fall_excuses_nothing() -> None:
    flips = [*FLIPS[:3], Flip(0, "promotions", 90, 2), Flip(0, "promotions", 0, 3)]
    assert judge([met(1, 2, "new"), met(1, 3, "legacy")], flips).moved_back == 1


@given(st.lists(st.sampled_from([0.0, 10.0, 50.0, 100.0]), min_size=1, max_size=12), st.integers(0, 99))
def test_users_who_follow_their_bucket_are_always_right(percents: list[float], bucket: int) -> None:
    flips = [Flip(0, "catalog", percent, version) for version, percent in enumerate(percents, 1)]
    records = [met(1, flip.version, "new" if bucket < flip.percent else "legacy") for flip in flips]
    assert judge(records, flips).ok


def test_stretches_begin_where_the_percent_falls() -> None:
    growth = Growth(FLIPS)
    assert [growth.stretch(version) for version in (1, 3, 4, 5, 9)] == [0, 0, 1, 1, 1]


def test_the_command_reads_a_runs_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = ResponseLog(tmp_path)
    log.write(met(1, 2, "new"))
    log.write(met(1, 3, "legacy"))
    log.close()
    assert main([str(tmp_path), "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["moved_back"] == 1
    record_flip(tmp_path, "catalog", 40, 2)
    record_flip(tmp_path, "catalog", 0, 3)
    assert main([str(tmp_path)]) == 0
    assert "1 users, 2 responses, 2 flips: 0 moved back, 0 met both sides" in capsys.readouterr().out


def test_a_folder_without_records_is_wrong_usage(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path)]) == 2
    assert "responses.tsv" in capsys.readouterr().err


def test_a_damaged_flip_names_file_and_line(tmp_path: Path) -> None:
    record_flip(tmp_path, "catalog", 1, 1)
    with (tmp_path / "flips.jsonl").open("a") as file:
        file.write("{}\n")
    with pytest.raises(ValueError, match=r"flips\.jsonl:2: not a flip"):
        read(tmp_path)
