from __future__ import annotations

import sys
from pathlib import Path

import pytest

from loadtests.flips import main as note_flip
from loadtests.flips import read
from loadtests.hook import FlipFailed, Flipping, command_hook, parse_schedule


def test_a_schedule_goes_up_in_steps_and_back_in_one(tmp_path: Path) -> None:
    percents: list[float] = []

    def hook(percent: float) -> int:
        percents.append(percent)
        return 40 + len(percents)

    flipping = Flipping(hook, 2.0, tmp_path, "catalog", began=100.0)
    assert flipping.due == 102.0
    for now in (102.0, 104.5, 107.0, 109.0):
        flipping.flip(now)
    assert percents == [10.0, 40.0, 100.0, 0.0]
    assert flipping.due == 111.0
    assert [(flip.version, flip.percent, flip.capability) for flip in read(tmp_path)] == [
        (41, 10.0, "catalog"),
        (42, 40.0, "catalog"),
        (43, 100.0, "catalog"),
        (44, 0.0, "catalog"),
    ]


@pytest.mark.parametrize(
    ("written", "said"),
    [("10,x", "percents with commas"), ("10,101", "not 101"), ("10,10,0", "must differ"), ("5", "must differ")],
)
def test_a_schedule_that_makes_no_sense_is_refused(written: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        parse_schedule(written)


def test_a_command_is_given_the_percent_and_says_the_version() -> None:
    code = "import json, sys; print(json.dumps({'version': int(sys.argv[1]) + 1}))"
    assert command_hook(f'{sys.executable} -c "{code}" {{percent}}')(40.0) == 41


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (f"{sys.executable} -c 'import sys; sys.exit(\"refused: no\")' {{percent}}", "ended with 1: refused: no"),
        (f"{sys.executable} -c 'print(1)' {{percent}}", "printed no JSON with a version"),
        ("no-such-command {percent}", "no-such-command"),
    ],
)
def test_a_failed_flip_says_why(command: str, said: str) -> None:
    with pytest.raises(FlipFailed, match=said):
        command_hook(command)(10.0)


def test_a_hook_without_a_place_for_the_percent_is_refused() -> None:
    with pytest.raises(ValueError, match=r"no \{percent\}"):
        command_hook("strangler status")


def test_the_command_notes_a_flip(tmp_path: Path) -> None:
    assert note_flip([str(tmp_path), "--capability", "catalog", "--percent", "12.5", "--version", "9"]) == 0
    (flip,) = read(tmp_path)
    assert (flip.capability, flip.percent, flip.version) == ("catalog", 12.5, 9)
