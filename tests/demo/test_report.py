"""The demonstration's verdict: one row that does not hold is enough."""

from __future__ import annotations

import io
from typing import Any

import pytest
from rich.console import Console

from demo.report import lines, show

GOOD: dict[str, dict[str, Any]] = {
    "load": {"by_side": {"legacy": 20, "new": 10}, "errors": 0},
    "ledger": {"acknowledged": 7, "found": 7, "lost": 0, "doubled": 0},
    "sticky": {"moved_back": 0, "mixed": 0},
    "verified": {
        "equal": True,
        "tables": [{"rows": 100, "missing": [], "extra": [], "differing": []}],
        "in_flight": 1,
    },
}
MOVES = [{"held_requests": 3, "hold_ms_max": 212.0}, {"held_requests": None, "hold_ms_max": 180.0}]


def verdict(found: dict[str, dict[str, Any]]) -> bool:
    rows = lines(**found, flips_ms=[3.0], lags_seconds=[0.04], moves=MOVES)
    return show(Console(file=io.StringIO()), rows)


def test_all_that_has_to_hold_holds() -> None:
    assert verdict(GOOD)


@pytest.mark.parametrize(
    ("part", "change"),
    [
        ("load", {"errors": 1}),
        ("load", {"by_side": {"legacy": 30}}),
        ("ledger", {"lost": 1}),
        ("ledger", {"doubled": 1}),
        ("ledger", {"found": 6}),
        ("ledger", {"acknowledged": 0, "found": 0}),
        ("sticky", {"moved_back": 1}),
        ("sticky", {"mixed": 1}),
        ("verified", {"equal": False}),
        ("verified", {"tables": [{"rows": 100, "missing": [1], "extra": [], "differing": []}]}),
    ],
)
def test_one_that_does_not_is_enough(part: str, change: dict[str, Any]) -> None:
    assert not verdict({**GOOD, part: {**GOOD[part], **change}})


def test_a_move_that_was_left_out_is_seen() -> None:
    rows = lines(**GOOD, flips_ms=[3.0], lags_seconds=[0.04], moves=MOVES[:1])
    assert not show(Console(file=io.StringIO()), rows)
