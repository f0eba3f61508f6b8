"""What a move consists of, decided without doing it."""

from __future__ import annotations

import pytest

from strangler.config import Capability
from strangler.control.plan import (
    AwaitSync,
    CompareRows,
    EnterPhase,
    SendTraffic,
    StartStream,
    StopStream,
    TakeBack,
    advance,
    rollback,
)
from strangler.exits import Refused, Usage
from strangler.phases import Phase

BARE = Capability.model_validate({"url": "http://h:1", "routes": ["GET /a"]})
FULL = Capability.model_validate(
    {
        "url": "http://h:1",
        "database": "new",
        "routes": ["GET /a"],
        "canary": {"percent": 2.0},
        "tables": {"a": {"from": "a", "key": {"id": "id"}}},
    }
)


def test_synced_copies_follows_and_compares() -> None:
    steps = advance("c", FULL, Phase.LEGACY, None, None).steps
    assert steps == (StartStream(), AwaitSync(5.0, 86400.0), CompareRows(), EnterPhase(Phase.SYNCED))
    assert advance("c", BARE, Phase.LEGACY, None, None).steps == (EnterPhase(Phase.SYNCED),)


def test_canary_begins_with_the_files_percent_or_the_commands() -> None:
    assert advance("c", FULL, Phase.SYNCED, None, None).steps[0] == SendTraffic(2.0)
    assert advance("c", FULL, Phase.SYNCED, Phase.CANARY, 7).steps[0] == SendTraffic(7)
    assert advance("c", BARE, Phase.SYNCED, None, None).steps[0] == SendTraffic(5.0)


def test_reads_sends_all() -> None:
    assert advance("c", FULL, Phase.CANARY, None, None).steps == (SendTraffic(100.0), EnterPhase(Phase.READS))
    with pytest.raises(Usage, match="--percent"):
        advance("c", FULL, Phase.CANARY, None, 50)


def test_beyond_reads_is_not_built() -> None:
    with pytest.raises(Refused) as refused:
        advance("c", FULL, Phase.READS, None, None)
    assert "not built yet" in refused.value.reasons[0]


def test_a_rollback_takes_traffic_back_before_anything_else() -> None:
    """Invariant 3: one command, no evidence; the stream stays unless legacy is asked for."""
    assert rollback("c", FULL, Phase.READS, None).steps == (TakeBack(None), EnterPhase(Phase.SYNCED))
    assert rollback("c", FULL, Phase.READS, Phase.LEGACY).steps == (
        TakeBack(None),
        EnterPhase(Phase.LEGACY),
        StopStream(),
    )
    assert rollback("c", FULL, Phase.READS, Phase.CANARY).steps == (TakeBack(2.0), EnterPhase(Phase.CANARY))
    assert rollback("c", BARE, Phase.SYNCED, None).steps == (TakeBack(None), EnterPhase(Phase.LEGACY))


def test_a_rollback_goes_back_only() -> None:
    for current, target in ((Phase.CANARY, Phase.READS), (Phase.SYNCED, Phase.SYNCED), (Phase.SYNCED, Phase.CANARY)):
        with pytest.raises(Usage):
            rollback("c", FULL, current, target)
