"""What a move consists of, decided without doing it."""

from __future__ import annotations

import pytest

from proxy.routes import Side
from strangler.config import Capability
from strangler.control.plan import (
    AwaitSync,
    CompareRows,
    EnterPhase,
    MoveWrites,
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
PAYS_TABLES = {"a": {"from": "a", "key": {"id": "id"}, "back": {"id": "id"}}}
PAYS_RAW = {"url": "http://h:1", "database": "new", "routes": ["GET /a", "POST /a"], "tables": PAYS_TABLES}
PAYS = Capability.model_validate(PAYS_RAW)


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


def test_writes_moves_the_ownership() -> None:
    assert advance("c", PAYS, Phase.READS, None, None).steps == (MoveWrites(Side.NEW), EnterPhase(Phase.WRITES))


def test_what_has_nothing_to_own_has_no_writes_to_move() -> None:
    with pytest.raises(Refused) as refused:
        advance("c", FULL, Phase.READS, None, None)
    assert "it has no write route" in refused.value.reasons[0]
    copies = {name: {**table, "reference": True} for name, table in PAYS_TABLES.items()}
    with pytest.raises(Refused) as refused:
        advance("c", Capability.model_validate({**PAYS_RAW, "tables": copies}), Phase.READS, None, None)
    assert "no table of it is owned" in refused.value.reasons[0]


def test_beyond_writes_is_not_built() -> None:
    with pytest.raises(Refused) as refused:
        advance("c", PAYS, Phase.WRITES, None, None)
    assert "not built yet" in refused.value.reasons[0]


def test_a_rollback_of_writes_moves_ownership_before_traffic() -> None:
    """Reads stay with the owner until legacy is it."""
    back = MoveWrites(Side.LEGACY)
    assert rollback("c", PAYS, Phase.WRITES, None).steps == (back, TakeBack(None), EnterPhase(Phase.SYNCED))
    assert rollback("c", PAYS, Phase.WRITES, Phase.READS).steps == (back, EnterPhase(Phase.READS))
    assert rollback("c", PAYS, Phase.WRITES, Phase.LEGACY).steps == (
        back,
        TakeBack(None),
        EnterPhase(Phase.LEGACY),
        StopStream(),
    )


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
