"""Evidence in, reasons out."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from strangler.config import Gate
from strangler.evidence import Evidence, Kind, Traffic
from strangler.gates import Check, Observation, Verdict, allowed, duration, evaluate, reasons

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
GATE = Gate(
    max_lag_seconds=5.0,
    verified_within_minutes=60.0,
    contract_within_minutes=60.0,
    min_requests_new=200,
    max_error_percent_above_legacy=0.5,
)


def result(kind: Kind, *, ok: bool = True, minutes_ago: float = 9, **data: object) -> Evidence:
    summary = "1,000 rows equal" if ok else "1 of 1,000 rows differs"
    return Evidence("catalog", kind, NOW - timedelta(minutes=minutes_ago), ok, summary, data)


GOOD = Observation(
    capability="catalog",
    now=NOW,
    stream="streaming",
    lag_seconds=0.034,
    legacy=Traffic(6000, 6),
    new=Traffic(4000, 4),
    verify=result(Kind.VERIFY),
    contract=result(Kind.CONTRACT),
)


def check(seen: Observation, name: str, gate: Gate = GATE) -> Check:
    return next(c for c in evaluate(gate, seen) if c.name == name)


def test_good_evidence_passes_and_is_told() -> None:
    checks = evaluate(GATE, GOOD)
    assert allowed(checks)
    assert reasons(checks) == []
    assert [c.name for c in checks] == ["lag", "parity", "contract", "traffic", "errors"]
    assert check(GOOD, "lag").text == "34 ms, the gate allows 5.0 s"


@pytest.mark.parametrize(
    ("change", "name", "verdict", "words"),
    [
        ({"stream": "stopped"}, "stream", Verdict.REFUSED, "it is stopped"),
        ({"stream": "unreachable"}, "stream", Verdict.REFUSED, "unreachable"),
        ({"lag_seconds": 5.1}, "lag", Verdict.REFUSED, "5.1 s"),
        ({"lag_seconds": None}, "lag", Verdict.NOT_ENOUGH, "no marker"),
        ({"quarantined": 2}, "quarantine", Verdict.REFUSED, "2 keys wait in quarantine"),
        (
            {"quarantined": 4, "quarantined_first": ("items id=7", "items id=9")},
            "quarantine",
            Verdict.REFUSED,
            "4 keys wait in quarantine: items id=7, items id=9, ...",
        ),
        ({"quarantined": 1, "quarantined_first": ("items id=7",)}, "quarantine", Verdict.REFUSED, "1 key waits in"),
        ({"verify": None}, "parity", Verdict.NOT_ENOUGH, "never compared"),
        ({"verify": result(Kind.VERIFY, minutes_ago=61)}, "parity", Verdict.NOT_ENOUGH, "not fresh enough"),
        ({"verify": result(Kind.VERIFY, ok=False)}, "parity", Verdict.REFUSED, "1 of 1,000 rows differs"),
        ({"contract": None}, "contract", Verdict.NOT_ENOUGH, "never run"),
        ({"contract": result(Kind.CONTRACT, ok=False)}, "contract", Verdict.REFUSED, "differs"),
        ({"new": Traffic(199)}, "traffic", Verdict.NOT_ENOUGH, "not enough: new has answered 199 requests"),
        ({"new": None}, "traffic", Verdict.NOT_ENOUGH, "no proxy could be asked"),
        ({"new": Traffic(4000, 25)}, "errors", Verdict.REFUSED, "0.62 % on new"),
    ],
)
def test_each_gap_has_its_verdict(change: dict, name: str, verdict: Verdict, words: str) -> None:
    seen = replace(GOOD, **change)
    found = check(seen, name)
    assert found.verdict is verdict
    assert words in found.text
    assert not allowed(evaluate(GATE, seen))


def test_without_thresholds_a_known_difference_still_refuses() -> None:
    assert allowed(evaluate(Gate(), replace(GOOD, verify=None, contract=None, new=None)))
    assert not allowed(evaluate(Gate(), replace(GOOD, verify=result(Kind.VERIFY, ok=False))))
    assert not allowed(evaluate(Gate(), replace(GOOD, stream="paused")))


def test_without_tables_nothing_is_asked_of_the_stream() -> None:
    seen = Observation("catalog", NOW, legacy=Traffic(1), new=Traffic(300), contract=result(Kind.CONTRACT))
    assert [c.name for c in evaluate(GATE, seen)] == ["contract", "traffic", "errors"]


def test_a_difference_says_how_to_repair_the_table() -> None:
    tables = [{"table": "items", "different": 1}, {"table": "brands", "different": 0}]
    seen = replace(GOOD, verify=result(Kind.VERIFY, ok=False, tables=tables))
    assert check(seen, "parity").fix == "strangler verify catalog --table items --repair"


def test_traffic_counts_from_the_baseline_and_survives_a_restart_of_the_proxy() -> None:
    assert Traffic(100, 3).since(Traffic(40, 1)) == Traffic(60, 2)
    assert Traffic(30, 0).since(Traffic(40, 1)) == Traffic(30, 0)


def test_durations() -> None:
    said = [duration(s) for s in (0.034, 4.1, 61, 600, 3 * 3600, 3 * 86400)]
    assert said == ["34 ms", "4.1 s", "61 s", "10 min", "3 h", "3 d"]
