"""What people see, from answers as the API gives them."""

from __future__ import annotations

import io
from typing import Any

import pytest
from rich.console import Console

from strangler.cli import flags, phrase, quarantine, status, sync, verify
from strangler.cli.grid import Column, fitted
from strangler.cli.screen import Screen


def shown(render: Any, *arguments: Any, width: int = 110) -> str:
    out = io.StringIO()
    console = Console(file=out, width=width, highlight=False, markup=False)
    render(*arguments, Screen(console, console))
    return out.getvalue()


def capability(**changes: Any) -> dict[str, Any]:
    return {
        "name": "catalog",
        "phase": "canary",
        "since": "2026-11-23T11:20:00+00:00",
        "actor": "oncall",
        "reason": "start with the EU shop",
        "owner": "legacy",
        "tables": 3,
        "percent": 40.0,
        "routes": [
            {
                "route": "GET /api/items/{id}",
                "access": "read",
                "percent": 40.0,
                "shadow_percent": 0,
                "pin": None,
                "cohorts": ["staff"],
                "fallback": True,
                "served": {"legacy": 14400, "new": 9633},
                "errors": {"legacy": 1, "new": 0},
                "p50_ms": {"legacy": 6.2, "new": 4.0},
                "p99_ms": {"legacy": 22.4, "new": None},
            }
        ],
        "sync": {"state": "streaming", "lag_seconds": 0.034, "lag_p99_seconds": 0.09, "quarantined": 0},
        "evidence": [
            {"kind": "verify", "ok": True, "at": "2026-11-23T11:58:00+00:00", "summary": "1,204,332 rows equal"}
        ],
        "next": {"phase": "reads", "allowed": True, "reasons": [], "checks": []},
        "rollback": {"safe": True, "reasons": ["legacy owns all rows"], "rows_at_risk": 0},
        "operation": None,
        **changes,
    }


def answer(*capabilities: dict[str, Any]) -> dict[str, Any]:
    proxies = [{"id": f"envoy-{n}", "applied": 41, "last_nack": None} for n in (1, 2)]
    return {
        "version": 41,
        "now": "2026-11-23T12:04:31+00:00",
        "capabilities": list(capabilities),
        "proxies": proxies,
    }


def test_where_are_we() -> None:
    text = shown(status.show_all, answer(capability()))
    assert text.startswith("version 41, applied by 2 of 2 proxies")
    assert "CAPABILITY   PHASE    OWNER    TRAFFIC TO NEW      IN SYNC      WAY BACK" in text
    assert "catalog      canary   legacy   ████░░░░░░   40 %   yes, 34 ms   safe" in text


@pytest.mark.parametrize("width", [80, 60, 40])
def test_a_narrow_terminal_loses_columns_on_the_right(width: int) -> None:
    text = shown(status.show_all, answer(capability()), width=width)
    table = [line for line in text.splitlines() if line.startswith(("CAPABILITY", "catalog"))]
    assert all(len(line) <= width for line in table)
    whole = shown(status.show_all, answer(capability()), width=200).splitlines()
    assert all(any(w.startswith(line) for w in whole) for line in table)


def test_one_capability() -> None:
    text = shown(status.show_one, answer(capability()))
    assert 'oncall: "start with the EU shop"' in text
    assert "GET  /api/items/{id}" in text
    assert "14,400 | 9,633" in text
    assert "40 % +staff" in text
    assert "6.2 | 4" in text
    assert "data       3 tables, lag 34 ms (p99 90 ms), quarantine empty, verified" in text
    assert "1,204,332 rows equal" in text
    assert "next       reads: allowed" in text
    assert "way back   safe: rollback loses nothing" in text


def continuous(**changes: Any) -> dict[str, Any]:
    at = "2026-11-23T12:04:00+00:00"
    return {
        "state": "running",
        "why": None,
        "hot": {"at": at, "rows": 1203, "different": 0, "in_flight": 3, "keys": []},
        "round": {"began_at": at, "rows": 400000, "waiting": None},
        "last": {"at": at, "equal": True, "summary": "1,204,332 rows equal"},
        **changes,
    }


def test_what_continuous_mode_found() -> None:
    text = shown(status.show_one, answer(capability(continuous=continuous())), width=140)
    assert "verifying  1,203 changed rows compared, equal, 2026-11-23" in text
    assert ": 400,000 rows; last 2026-11-23" in text
    assert ": 1,204,332 rows equal" in text
    hot = {"at": "2026-11-23T12:04:00+00:00", "rows": 9, "different": 1, "in_flight": 0, "keys": ["items id=5"]}
    slow = {"began_at": "2026-11-23T12:04:00+00:00", "rows": 7, "waiting": "the source runs 30 statements"}
    text = shown(status.show_one, answer(capability(continuous=continuous(hot=hot, round=slow))), width=140)
    assert "9 changed rows compared, 1 of them differ (items id=5)" in text
    assert "catalog: 1 row changed lately differs: items id=5" in shown(
        status.show_all, answer(capability(continuous=continuous(hot=hot)))
    )
    assert "7 rows, the source runs 30 statements" in text
    still = continuous(state="waiting", why="its stream is paused")
    assert "verifying  waits: its stream is paused" in shown(status.show_one, answer(capability(continuous=still)))


def test_a_stopped_stream_is_told_with_its_way_out() -> None:
    error = {
        "message": "ALTER TABLE items DROP COLUMN colour",
        "position": "3f2a:1-9",
        "way_out": "correct the mapping",
    }
    stopped = {"state": "stopped", "lag_seconds": 12.0, "quarantined": 0, "error": error}
    text = shown(status.show_all, answer(capability(sync=stopped)))
    assert "no, stopped" in text
    assert "catalog: stream stopped at 3f2a:1-9: ALTER TABLE items DROP COLUMN colour" in text
    assert "traffic is untouched; data on new is 12 s old and ageing" in text
    assert "correct the mapping" in text


def test_what_waits_in_quarantine_is_told() -> None:
    held = {
        "state": "streaming",
        "lag_seconds": 0.034,
        "quarantined": 2,
        "quarantine": {"first": ["items id=7", "items id=9"]},
    }
    text = shown(status.show_all, answer(capability(sync=held)))
    assert "all but 2 keys, 34 ms" in text
    assert "catalog: 2 keys wait in quarantine: items id=7, items id=9" in text
    assert "strangler quarantine list catalog" in text
    assert "2 keys in quarantine, verified" in shown(status.show_one, answer(capability(sync=held)))


def held_event(number: int = 12, **changes: Any) -> dict[str, Any]:
    return {
        "capability": "catalog",
        "id": f"catalog-{number}",
        "table": "items",
        "key": "id=7",
        "op": "u",
        "position": "3f2a1111-2222-3333-4444-555555555555:88213 @ binlog.000002:88",
        "error": "Data too long for column 'title' at row 1",
        "waiting_behind": 1,
        "stored_at": "2026-11-23T12:04:31+00:00",
        "bytes": 210,
        "event": None,
        **changes,
    }


USE = {"capability": "catalog", "keys": 1, "events": 2, "bytes": 2048, "max_events": 1000, "max_bytes": 64 << 20}


def test_the_quarantine() -> None:
    text = shown(quarantine.show_list, {"events": [held_event()], "use": [USE], "unreachable": []})
    assert text.startswith("ID           KEY          BEHIND   SINCE")
    assert "catalog-12   items id=7        1   " in text
    assert "Data too long for column 'title' at row 1" in text
    assert "catalog: 1 key, 2 events, 2.0 kB; it stops at 1,000 events or 64.0 MB" in text
    empty = {"events": [], "use": [], "unreachable": ["a database of offers doesn't answer"]}
    assert shown(quarantine.show_list, empty) == "a database of offers doesn't answer\nnothing is in quarantine\n"
    narrow = shown(quarantine.show_list, {"events": [held_event()], "use": [], "unreachable": []}, width=60)
    assert "catalog-12   items id=7   Data too long for column" in narrow


def test_one_event_in_quarantine() -> None:
    event = {"before": {"id": 7, "title": "a"}, "after": {"id": 7, "title": None, "note": "x" * 100}}
    events = [
        held_event(event=event),
        held_event(14, error=None, waiting_behind=0, event={"before": {"id": 7}, "after": None}, op="d"),
    ]
    text = shown(quarantine.show_key, "catalog-12", {"events": events})
    assert "catalog-12   items id=7 updated" in text
    assert 'title    "a"      NULL' in text
    assert "1 later event of this key waits:\n  catalog-14   deleted at 3f2a" in text
    assert 'strangler quarantine discard catalog-12 --reason "..."' in text
    behind = shown(quarantine.show_key, "catalog-14", {"events": events})
    assert "error      waits behind catalog-12" in behind


def test_what_came_of_a_retry_and_of_a_discard() -> None:
    nothing = {"would": [], "dry_run": False, "done": True, "applied": [], "discarded": [], "events": [], "rows": {}}
    assert shown(quarantine.show_change, nothing) == "nothing was in quarantine\n"
    retried = {**nothing, "applied": ["catalog-1", "catalog-2"], "events": [held_event()], "done": False}
    assert shown(quarantine.show_change, retried) == (
        "2 events were applied\ncatalog-12 items id=7 waits, 1 behind it: Data too long for column 'title' at row 1\n"
    )
    gone = {**nothing, "discarded": ["catalog-12"], "rows": {"products": {"legacy_id": 7, "title": "a"}, "tags": None}}
    text = shown(quarantine.show_change, gone)
    assert 'catalog-12 was thrown away\nthe row on new, products: legacy_id 7, title "a"\n' in text
    assert "the row on new, tags: there is none\n" in text
    assert "strangler verify catalog --repair" in text
    dry = {**nothing, "dry_run": True, "done": False, "would": ["throw away catalog-12"]}
    assert shown(quarantine.show_change, dry) == "would throw away catalog-12\nnothing was changed\n"


def test_what_the_next_gate_lacks() -> None:
    check = {
        "name": "parity",
        "verdict": "refused",
        "text": "1 row differs",
        "fix": "strangler verify catalog --repair",
    }
    following = {"phase": "reads", "allowed": False, "reasons": ["parity: 1 row differs"], "checks": [check]}
    text = shown(status.show_one, answer(capability(next=following)))
    assert "next       reads: not yet" in text
    assert "parity: 1 row differs" in text
    assert "strangler verify catalog --repair" in text


def test_a_flip() -> None:
    done = {
        "dry_run": False,
        "version": 42,
        "from_version": 41,
        "summary": "catalog 40 % -> 60 %",
        "changes": [],
        "proxies": [{"id": "a", "applied": 42, "last_nack": None}, {"id": "b", "applied": 42, "last_nack": None}],
        "ms_to_applied": 3.2,
    }
    assert shown(flags.show, done) == "version 42: catalog 40 % -> 60 %\napplied by 2 of 2 proxies in 3 ms\n"
    dry = {**done, "dry_run": True, "changes": ["GET /api/items   40 % -> 60 %"]}
    assert shown(flags.show, dry) == (
        "would make version 42 from 41:\n  GET /api/items   40 % -> 60 %\nnothing was changed\n"
    )


def test_a_comparison_names_each_row() -> None:
    table = {
        "table": "brands",
        "rows": 4981,
        "rows_per_second": 412000,
        "seconds": 0.012,
        "missing": [{"id": 7}],
        "extra": [],
        "differing": [{"key": {"id": 311}, "columns": {"name": {"legacy": "Zoé", "new": None}}}],
        "missing_total": 1,
        "extra_total": 0,
        "differing_total": 1,
        "unsettled": 1,
        "repaired": [],
    }
    found = {
        "capability": "catalog",
        "equal": False,
        "rows": 4981,
        "in_flight": 2,
        "unsettled": 1,
        "waited": True,
        "tables": [table],
    }
    text = shown(verify.show, found)
    assert "brands   4,981   412,000   12 ms   1 differs, 1 missing, 1 unsettled" in text
    assert 'brands id 311   name: legacy "Zoé", new NULL' in text
    assert "brands id 7   missing on new" in text
    assert "2 rows were in flight and settled equal.\n1 row kept changing and could not be compared:" in text
    assert "2 rows differ." in text


def test_a_copy_under_way() -> None:
    progress = {
        "table": "items",
        "tables_done": 1,
        "tables_total": 3,
        "rows_done": 20_000,
        "rows_total": 80_000,
        "rows_per_second": 40_000.0,
    }
    stream = {
        "capability": "catalog",
        "state": "copying",
        "lag_seconds": None,
        "events": 0,
        "rows_per_second": 40_000.0,
        "position": None,
        "progress": progress,
    }
    text = shown(sync.show, [stream])
    assert "catalog: copying items, table 2 of 3: 20,000 of 80,000 rows, 40,000 rows/s, 1.5 s left" in text
    assert "catalog.back" in shown(sync.show, [{**stream, "state": "streaming", "direction": "to_legacy"}])
    text = shown(sync.show, [{**stream, "progress": {**progress, "throttled": "the stream is 9.0 s behind"}}])
    assert "1.5 s left, waits: the stream is 9.0 s behind" in text


def test_bars_never_round_to_nothing_or_all() -> None:
    assert [phrase.bar(v) for v in (0, 0.5, 99.9, 100, None)] == [
        "░░░░░░░░░░",
        "█░░░░░░░░░",
        "█████████░",
        "██████████",
        "··········",
    ]


def test_a_grid_keeps_its_first_column() -> None:
    lines = fitted([Column("A"), Column("B", right=True)], [("long name", "1"), ("x", "1,000")], 5)
    assert lines == ["A", "long name", "x"]
    assert fitted([Column("A"), Column("B", right=True)], [("x", "1,000")], 80) == ["A       B", "x   1,000"]


def test_targets() -> None:
    assert flags.split("catalog") == ("catalog", None)
    assert flags.split("catalog/GET /api/items") == ("catalog", "GET /api/items")
    assert flags.split("catalog/api/items") == ("catalog", "/api/items")


def test_positions_are_cut_in_the_table_only() -> None:
    assert sync.short("3f2a1111-2222-3333-4444-555555555555:1-88213") == "3f2a..:1-88213"
    assert sync.short("0-1-23") == "0-1-23"
    assert sync.short(None) == "-"


def test_prose_is_wrapped_and_never_left_out() -> None:
    columns = [Column("WHEN"), Column("WHO"), Column("WHY", prose=True)]
    why = "because the evening was quiet and the errors were level"
    lines = fitted(columns, [("12:00", "ann", why)], 50)
    assert lines[0] == "WHEN    WHO   WHY"
    assert lines[1] == "12:00   ann   because the evening was quiet and"
    assert lines[2] == "              the errors were level"
    assert all(len(line) <= 50 for line in lines)
    narrow = fitted(columns, [("12:00", "ann", why)], 40)
    assert "ann" not in "".join(narrow)
    assert " ".join(" ".join(narrow).split()).endswith("level")
