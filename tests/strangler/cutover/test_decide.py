from __future__ import annotations

import itertools

import pytest

from proxy.routes import Side
from strangler.cutover.decide import NOBODY, Command, Found, Impossible, Way, decide, way
from strangler.cutover.dry_run import sentences
from strangler.cutover.steps import ORDER, Move, Step, check

L, N = Side.LEGACY, Side.NEW
MOVE = Move("purchasing", N, 2_000, 15_000)


@pytest.mark.parametrize(
    ("old_row", "owner_row", "marked", "holding", "commands"),
    [
        (L, L, False, False, []),
        (L, L, False, True, [Command.RELEASE_TO_OLD]),
        (NOBODY, L, False, True, [Command.GIVE_BACK, Command.RELEASE_TO_OLD]),
        (NOBODY, L, True, True, [Command.HAND_OVER, Command.TAKE_OVER, Command.RELEASE_TO_OWNER]),
        (N, L, True, True, [Command.TAKE_OVER, Command.RELEASE_TO_OWNER]),
        (N, L, False, True, [Command.TAKE_OVER, Command.RELEASE_TO_OWNER]),
        (N, N, True, False, [Command.RELEASE_TO_OWNER]),
    ],
)
def test_what_remains_says_what_follows(
    old_row: str, owner_row: str, marked: bool, holding: bool, commands: list[Command]
) -> None:
    assert decide(L, N, Found(old_row, owner_row, marked, holding)) == commands


def test_rows_that_no_move_leaves_behind_are_not_touched() -> None:
    with pytest.raises(Impossible, match=r"legacy at legacy and new at new.*strangler verify"):
        decide(L, N, Found(L, N, False, False))


def test_every_state_has_one_way_and_both_directions_are_alike() -> None:
    for rows, marked in itertools.product(itertools.product((L, N, NOBODY), (L, N)), (False, True)):
        turned = {L: N, N: L, NOBODY: NOBODY}
        forth, back = Found(*rows, marked, True), Found(*(turned[one] for one in rows), marked, True)
        try:
            assert way(L, N, forth) is way(N, L, back)
            assert (Command.RELEASE_TO_OWNER in decide(L, N, forth)) is (way(L, N, forth) is Way.COMPLETE)
        except Impossible:
            with pytest.raises(Impossible):
                way(N, L, back)


def test_the_limits_of_all_steps_fit_into_the_budget() -> None:
    assert check(MOVE) == []
    assert sum(MOVE.limit_of(step) for step in ORDER if step is not Step.PREFLIGHT) < 2.0
    assert "hold_limit_ms (900) is smaller" in check(Move("purchasing", N, 2_000, 900))[0]


def test_a_dry_run_says_every_step_in_order() -> None:
    said = sentences(MOVE, 4, 61.4)
    assert [line.split(":")[0] for line in said[:-1]] == [MOVE.name_of(step) for step in ORDER]
    assert said[1] == "hold: 4 write routes wait at every proxy"
    assert said[-1] == "writes of purchasing would wait about 61 ms, at most 2,000 ms"
    assert "not known yet" in sentences(MOVE, 1, None)[-1]
