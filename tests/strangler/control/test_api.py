"""The admin API on a real store and a real xDS server."""

from __future__ import annotations

import asyncio
import stat

import httpx
import jsonschema
import pytest

from strangler.control.operation import Operation
from strangler.exits import Failed
from strangler.phases import Phase

pytestmark = pytest.mark.anyio

STATUS = {
    "type": "object",
    "required": ["version", "capabilities", "proxies"],
    "properties": {
        "proxies": {"items": {"required": ["id", "applied", "last_nack"]}},
        "capabilities": {
            "items": {
                "required": ["name", "phase", "owner", "routes", "sync", "next", "rollback"],
                "properties": {
                    "routes": {
                        "minItems": 1,
                        "items": {"required": ["route", "percent", "shadow_percent", "pin", "served", "errors"]},
                    },
                    "sync": {"required": ["direction", "state", "lag_seconds", "behind_events", "quarantined"]},
                    "next": {"required": ["phase", "allowed", "reasons"]},
                    "rollback": {"required": ["safe", "reasons", "rows_at_risk"]},
                },
            }
        },
    },
}
FLIP = {"required": ["version", "applied", "ms_to_applied", "proxies"]}
MOVE = {
    "required": [
        *("from", "to", "done", "reasons", "journal", "held_requests", "hold_ms_max", "fence", "steps"),
        *("version", "ms_to_applied", "proxies"),
    ],
    "properties": {"steps": {"items": {"required": ["name", "ms"]}}},
}


async def to_canary(plane, percent: float | None = 10) -> None:
    await plane.connect()
    for body in ({}, {"percent": percent}):
        events = await plane.events("/capabilities/catalog/advance", reason="test", **body)
        assert events[-1]["event"] == "result", events


async def test_needs_the_token(plane) -> None:
    for headers in ({"Authorization": ""}, {"Authorization": "Bearer wrong"}):
        answer = await plane.http.get("/status", headers=headers)
        assert answer.status_code == 401
        assert "token" in answer.json()["error"]
    token = plane.control.config.state / "token"
    assert stat.S_IMODE(token.stat().st_mode) == 0o600


async def test_status_carries_the_contracts_keys(plane) -> None:
    found = (await plane.http.get("/status")).json()
    jsonschema.validate(found, STATUS)
    assert [c["phase"] for c in found["capabilities"]] == ["legacy", "legacy"]
    assert found["applied"] is False  # nobody has applied it: no proxy is connected
    await plane.connect()
    assert (await plane.http.get("/status/catalog")).json()["applied"] is True


async def test_openapi_describes_every_path(plane) -> None:
    async with httpx.AsyncClient(transport=plane.http._transport, base_url="http://control") as http:
        document = (await http.get("/openapi.json")).json()
        metrics = (await http.get("/metrics")).text
        assert (await http.get("/health")).json()["status"] == "ok"
    paths = set(document["paths"])
    assert {"/v1/status", "/v1/flags/{capability}", "/v1/capabilities/{capability}/advance", "/v1/audit"} <= paths
    assert "strangler_flips_total" in metrics


async def test_moves_to_reads_and_back(plane) -> None:
    await to_canary(plane)
    events = await plane.events("/capabilities/catalog/advance", reason="on")
    assert [e["name"] for e in events if e["event"] == "done"] == ["send traffic", "phase"]
    jsonschema.validate(events[-1], MOVE)
    assert events[-1]["to"] == "reads"
    flags = plane.control.flagging.flags
    assert flags.of("GET /api/items").percent == 100
    assert flags.of("POST /api/items").percent == 0  # write routes stay on legacy
    back = (await plane.events("/capabilities/catalog/rollback", reason="oops"))[-1]
    jsonschema.validate(back, MOVE)
    assert (back["from"], back["to"], back["done"]) == ("reads", "synced", True)
    flags = plane.control.flagging.flags
    assert {flags.of(r.name).pin for r in plane.control.flagging.routes("catalog")} == {"legacy"}
    again = (await plane.events("/capabilities/catalog/advance", reason="again", percent=25))[-1]
    assert again["to"] == "canary"
    flag = plane.control.flagging.flags.of("GET /api/items")
    assert (flag.percent, flag.pin) == (25, None)


async def test_a_flip_is_one_version(plane) -> None:
    await to_canary(plane)
    before = plane.control.flagging.flags.version
    done = (await plane.http.post("/flags/catalog", json={"percent": 40, "reason": "more", "actor": "ann"})).json()
    jsonschema.validate(done, FLIP)
    assert (done["version"], done["applied"], done["summary"]) == (before + 1, True, "catalog 10 % -> 40 %")
    entry = (await plane.http.get("/audit")).json()["entries"][0]
    assert (entry["actor"], entry["reason"], entry["version"]) == ("ann", "more", before + 1)
    assert entry["before"]["GET /api/items"]["percent"] == 10
    assert entry["after"]["GET /api/items"]["percent"] == 40


async def test_asked_for_twice_is_done_once(plane) -> None:
    await to_canary(plane)
    version = plane.control.flagging.flags.version
    for _ in range(2):
        done = (await plane.http.post("/flags/catalog", json={"percent": 10, "reason": "same"})).json()
        assert (done["version"], done["applied"], done["changes"]) == (version, True, [])
    assert all(e["reason"] != "same" for e in (await plane.http.get("/audit")).json()["entries"])


async def test_a_dry_run_changes_nothing(plane) -> None:
    await to_canary(plane)
    before = plane.control.flagging.flags
    said = (await plane.http.post("/flags/catalog", json={"percent": 40, "dry_run": True})).json()
    assert said["version"] == before.version + 1
    assert any("10 % -> 40 %" in line for line in said["changes"])
    would = (await plane.events("/capabilities/catalog/rollback", dry_run=True))[-1]["would"]
    assert any("pinned to legacy" in line for line in would)
    assert plane.control.flagging.flags == before
    assert (await plane.http.get("/status/catalog")).json()["capabilities"][0]["phase"] == "canary"


@pytest.mark.parametrize(
    ("path", "body", "status", "exit", "words"),
    [
        ("/flags/catalgo", {"percent": 1, "reason": "x"}, 422, 2, "did you mean 'catalog'?"),
        ("/flags/catalog", {"percent": 1}, 422, 2, "a reason is needed"),
        ("/flags/catalog", {"percent": 101, "reason": "x"}, 422, 2, "101"),
        ("/flags/catalog", {"percent": -1, "reason": "x"}, 422, 2, "-1"),
        ("/flags/catalog", {"percent": "many", "reason": "x"}, 422, 2, "percent"),
        ("/flags/catalog", {"reason": "x"}, 422, 2, "--percent"),
        ("/flags/catalog", {"cohort": ["stafff"], "reason": "x"}, 422, 2, "staff"),
        ("/flags/catalog", {"route": "/api/itemz", "percent": 1, "reason": "x"}, 422, 2, "did you mean '/api/items'?"),
        ("/flags/catalog", {"route": "/api/items", "percent": 1, "reason": "x"}, 422, 2, "POST /api/items"),
        ("/flags/catalog", {"percent": 10, "reason": "x"}, 409, 3, "from phase canary on"),
        ("/flags/catalog", {"pin": "new", "reason": "x"}, 409, 3, "from phase canary on"),
        ("/flags/catalog", {"cohort": ["staff"], "reason": "x"}, 409, 3, "from phase canary on"),
        ("/flags/catalog", {"shadow": 10, "reason": "x"}, 409, 3, "not built yet"),
        (
            "/flags/catalog",
            {"route": "POST /api/items", "percent": 5, "reason": "x"},
            409,
            3,
            "where the data has its owner",
        ),
        ("/capabilities/catalog/advance", {"to": "writes", "reason": "x"}, 409, 3, "one step at a time"),
        ("/capabilities/catalog/advance", {"to": "shadow", "reason": "x"}, 409, 3, "not built yet"),
        ("/capabilities/catalog/advance", {"to": "reads", "reason": "x"}, 409, 3, "one step at a time"),
        ("/capabilities/catalog/advance", {"to": "there", "reason": "x"}, 422, 2, "to"),
        ("/capabilities/catalog/advance", {"reason": " "}, 422, 2, "a reason is needed"),
        ("/capabilities/catalog/rollback", {"to": "reads", "reason": "x"}, 422, 2, "rollback"),
        ("/sync/catalog/start", {"reason": "x"}, 422, 2, "no tables"),
        ("/verify/catalog", {}, 422, 2, "no tables"),
        ("/cohorts/stuff/token", {"reason": "x"}, 422, 2, "did you mean 'staff'?"),
    ],
)
async def test_says_no_in_words(plane, path: str, body: dict, status: int, exit: int, words: str) -> None:
    answer = await plane.http.post(path, json=body)
    said = answer.json()
    assert (answer.status_code, said["exit"]) == (status, exit)
    assert words in " ".join([said["error"], *said["reasons"]])
    assert plane.control.flagging.flags.version == 0
    assert (await plane.http.get("/audit")).json()["entries"] == []


async def test_a_refusing_proxy_keeps_the_old_version(plane) -> None:
    """Invariant 1: a NACK is shown with its reason, the old version stays, the command fails."""
    await to_canary(plane)
    bad = await plane.connect("envoy-2")
    version = plane.control.flagging.flags.version
    bad.refuse = "weights must be positive"
    answer = await plane.http.post("/flags/catalog", json={"percent": 40, "reason": "more"})
    said = answer.json()
    assert (answer.status_code, said["exit"], said["version"]) == (502, 1, version)
    assert any("weights must be positive" in reason for reason in said["reasons"])
    assert plane.control.flagging.flags.of("GET /api/items").percent == 10
    entry = (await plane.http.get("/audit")).json()["entries"][0]
    assert (entry["done"], entry["version"]) == (False, None)


async def test_an_advance_that_a_proxy_refuses_changes_no_phase(plane) -> None:
    proxy = await plane.connect()
    await plane.events("/capabilities/catalog/advance", reason="x")
    proxy.refuse = "no"
    last = (await plane.events("/capabilities/catalog/advance", reason="x"))[-1]
    assert (last["event"], last["exit"], last["done"]) == ("error", 1, False)
    proxy.refuse = None
    found = (await plane.http.get("/status/catalog")).json()["capabilities"][0]
    assert (found["phase"], found["percent"], found["operation"]) == ("synced", 0, None)


async def test_without_a_proxy_only_a_rollback_goes_on(plane) -> None:
    await plane.events("/capabilities/catalog/advance", reason="x")
    last = (await plane.events("/capabilities/catalog/advance", reason="x"))[-1]
    assert last["exit"] == 1
    assert "no proxy is connected" in last["error"]
    back = (await plane.events("/capabilities/catalog/rollback", reason="x"))[-1]
    assert (back["done"], back["applied"], back["to"]) == (True, False, "legacy")


async def test_another_operation_holds_the_lock(plane) -> None:
    await to_canary(plane)
    operations, phases = plane.control.operations, plane.control.mover._phases
    op = Operation(
        "id", "catalog", "rollback", "bob", "night shift", plane.control.now(), phases.of("catalog").phase, 0
    )
    with operations.hold(op):
        answers = [
            await plane.http.post("/flags/catalog", json={"percent": 40, "reason": "x"}),
            await plane.http.post("/capabilities/catalog/advance", json={"reason": "x"}),
        ]
    for answer in answers:
        said = answer.json()
        assert (answer.status_code, said["exit"]) == (423, 4)
        assert "bob" in said["error"]
        assert "night shift" in said["error"]
    assert (await plane.http.post("/flags/catalog", json={"percent": 40, "reason": "x"})).status_code == 200


async def test_a_rollback_waits_for_no_advance(plane) -> None:
    """Invariant 3: one command is enough, also while an advance is under way."""
    await to_canary(plane)
    version = plane.control.flagging.flags.version
    op = Operation("id", "catalog", "advance", "bob", "slow", plane.control.now(), Phase.CANARY, version, Phase.READS)

    async def forever(emit: object) -> dict:
        await asyncio.Event().wait()
        return {}

    events = await plane.control.operations.run(op, forever)
    back = (await plane.events("/capabilities/catalog/rollback", reason="stop it"))[-1]
    assert (back["done"], back["to"]) == (True, "synced")
    assert [e["event"] async for e in events] == ["error"]
    assert plane.control.mover._operation_store.unfinished() == []


async def test_what_fails_after_the_flip_puts_the_flags_back(plane, monkeypatch: pytest.MonkeyPatch) -> None:
    await to_canary(plane)

    def broken(standing: object) -> None:
        raise Failed("the disk is full")

    monkeypatch.setattr(plane.control.mover._phases, "enter", broken)
    last = (await plane.events("/capabilities/catalog/advance", reason="all"))[-1]
    assert (last["event"], last["exit"], last["done"]) == ("error", 1, False)
    assert plane.control.flagging.flags.of("GET /api/items").percent == 10
    found = (await plane.http.get("/status/catalog")).json()["capabilities"][0]
    assert (found["phase"], found["operation"]) == ("canary", None)


async def test_evidence_is_kept_and_counts(plane) -> None:
    body = {"kind": "contract", "ok": False, "summary": "3 of 4 on both sides", "data": {"failed": 1}}
    assert (await plane.http.post("/evidence/catalog", json=body)).status_code == 201
    await plane.connect()
    await plane.events("/capabilities/catalog/advance", reason="x")
    answer = await plane.http.post("/capabilities/catalog/advance", json={"reason": "x"})
    assert (answer.status_code, answer.json()["exit"]) == (409, 3)
    assert any("3 of 4" in reason for reason in answer.json()["reasons"])
    body |= {"ok": True, "summary": "4 of 4 on both sides"}
    await plane.http.post("/evidence/catalog", json=body)
    found = (await plane.http.get("/evidence/catalog", params={"kind": "contract"})).json()
    assert [e["ok"] for e in found["evidence"]] == [True, False]
    assert (await plane.events("/capabilities/catalog/advance", reason="x"))[-1]["to"] == "canary"


async def test_a_cohort_token_is_issued_and_audited(plane) -> None:
    done = (await plane.http.post("/cohorts/staff/token", json={"reason": "ann starts"})).json()
    assert done["token"].count(".") == 2
    entry = (await plane.http.get("/audit")).json()["entries"][0]
    assert (entry["action"], entry["reason"]) == ("cohort token", "ann starts")
    assert done["token"] not in str(entry)


async def test_a_quarantine_without_tables_is_empty_and_wrong_ids_are_told(plane) -> None:
    assert (await plane.http.get("/quarantine")).json() == {"events": [], "use": [], "unreachable": []}
    assert (await plane.http.get("/quarantine", params={"capability": "catalgo"})).status_code == 422
    for id in ("nonsense", "catalog-", "catalog-x", "catalog-7"):
        found = await plane.http.get(f"/quarantine/{id}")
        assert (found.status_code, found.json()["exit"]) == (422, 2)
    retried = await plane.http.post("/quarantine/retry", json={"reason": "x"})
    assert (retried.status_code, retried.json()["done"], retried.json()["applied"]) == (200, True, [])
    refused = await plane.http.post("/quarantine/catalog-7/discard", json={})
    assert "a reason is needed" in refused.json()["error"]
