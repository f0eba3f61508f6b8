"""Phases and the moves between them."""

from __future__ import annotations

import pytest

from strangler.phases import NOT_BUILT, TRANSITIONS, Phase, after, before, default_back, refusal


def test_one_step_at_a_time_to_writes() -> None:
    walk = [Phase.LEGACY]
    while (following := after(walk[-1])) is not None:
        walk.append(following)
    assert walk == ["legacy", "synced", "canary", "reads", "writes"]


@pytest.mark.parametrize("current", [p for p in Phase if p not in NOT_BUILT])
@pytest.mark.parametrize("target", list(Phase))
def test_every_move_that_is_no_transition_is_refused_in_words(current: Phase, target: Phase) -> None:
    said = refusal(current, target)
    assert (said is None) == (TRANSITIONS.get(current) == target)
    if target in NOT_BUILT:
        assert said is not None
        assert "not built yet" in said


def test_the_way_back() -> None:
    assert before(Phase.READS) == (Phase.CANARY, Phase.SYNCED, Phase.LEGACY)
    assert before(Phase.WRITES) == (Phase.READS, Phase.CANARY, Phase.SYNCED, Phase.LEGACY)
    assert before(Phase.LEGACY) == ()
    assert [default_back(p) for p in (Phase.WRITES, Phase.READS, Phase.CANARY, Phase.SYNCED, Phase.LEGACY)] == [
        Phase.SYNCED,
        Phase.SYNCED,
        Phase.SYNCED,
        Phase.LEGACY,
        None,
    ]
