"""``strangler status``: where are we."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from strangler.cli import phrase
from strangler.cli.client import Client
from strangler.cli.grid import Column, Row
from strangler.cli.options import Json
from strangler.cli.screen import Screen, print_json
from strangler.gates import in_quarantine


def register(app: typer.Typer) -> None:
    app.command("status")(status)


def status(
    capability: Annotated[str | None, typer.Argument(metavar="[CAPABILITY]", help="All of them without it.")] = None,
    as_json: Json = False,
) -> None:
    """Where traffic goes, whether rows are in sync, what comes next, and what the way back would cost."""
    found = Client().get("/status" if capability is None else f"/status/{capability}")
    if as_json:
        print_json(found)
    elif capability is None:
        show_all(found, Screen())
    else:
        show_one(found, Screen())


def show_all(found: dict[str, Any], screen: Screen) -> None:
    head = applied(found)
    now = phrase.time_of_day(found["now"])
    screen.line(f"{head}{now:>{max(2, min(screen.out.width, 88) - len(head))}}")
    screen.line()
    columns = [Column(t) for t in ("CAPABILITY", "PHASE", "OWNER", "TRAFFIC TO NEW", "IN SYNC", "WAY BACK")]
    screen.grid(columns, [_row(c) for c in found["capabilities"]])
    for capability in found["capabilities"]:
        for line in remarks(capability):
            screen.line(line)
    for proxy in found["proxies"]:
        if proxy["applied"] != found["version"]:
            screen.line(f"proxy {proxy['id']} is at version {proxy['applied']}" + _nack(proxy))


def _row(c: dict[str, Any]) -> Row:
    traffic = f"{phrase.bar(c['percent'])} {phrase.percent(c['percent']):>6}"
    return (c["name"], c["phase"], c["owner"], traffic, in_sync(c), way_back(c))


def applied(found: dict[str, Any]) -> str:
    """``version 41, applied by 2 of 2 proxies``."""
    proxies = found["proxies"]
    if not proxies:
        return f"version {found['version']}, no proxy is connected"
    have = sum(p["applied"] == found["version"] for p in proxies)
    return (
        f"version {found['version']}, applied by {have} of {len(proxies)} {'proxy' if len(proxies) == 1 else 'proxies'}"
    )


def _nack(proxy: dict[str, Any]) -> str:
    return f": it refused the newest: {proxy['last_nack']}" if proxy["last_nack"] else ""


def in_sync(c: dict[str, Any]) -> str:
    sync = c["sync"]
    match sync["state"]:
        case "none":
            return "no tables"
        case "absent":
            return "not started"
        case "streaming":
            verified = next((e for e in c["evidence"] if e["kind"] == "verify"), None)
            said = "rows differ" if verified and not verified["ok"] else "yes"
            if waiting := sync["quarantined"]:
                said = f"all but {waiting:,} {'key' if waiting == 1 else 'keys'}"
            return f"{said}, {phrase.lag(sync['lag_seconds'])}"
        case "copying":
            progress = sync.get("progress") or {}
            total, done = progress.get("rows_total") or 0, progress.get("rows_done") or 0
            return f"copying, {100 * done / total:.0f} %" if total else "copying"
    return f"no, {sync['state']}"


def way_back(c: dict[str, Any]) -> str:
    if c["phase"] == "legacy":
        return "-"
    return "safe" if c["rollback"]["safe"] else _unsafe(c)


def remarks(c: dict[str, Any]) -> list[str]:
    """What deserves a line of its own: an operation under way, a stream in trouble, a way back that costs."""
    lines = []
    if (op := c["operation"]) is not None:
        lines.append(f"{c['name']}: {op['kind']} by {op['actor']} under way since {phrase.clock(op['since'])}")
    lines += [f"{c['name']}: {line}" for line in (*trouble(c["sync"]), *waiting(c["name"], c["sync"]))]
    lines += [f"{c['name']}: {line}" for line in hot_differences(c)]
    if not c["rollback"]["safe"]:
        lines += [f"{c['name']}: {reason}" for reason in c["rollback"]["reasons"]]
    return ["", *lines] if lines else []


def hot_differences(c: dict[str, Any]) -> list[str]:
    """Rows that continuous mode finds different now, and how to mend them."""
    hot = (c.get("continuous") or {}).get("hot") or {}
    number = hot.get("different")
    if not number:
        return []
    said = f"{number:,} {'row' if number == 1 else 'rows'} changed lately {'differs' if number == 1 else 'differ'}"
    return [f"{said}: {'; '.join(hot['keys'])}", f"  strangler verify {c['name']}"]


def waiting(name: str, sync: dict[str, Any]) -> list[str]:
    """What is in quarantine, and how to see it."""
    if not sync["quarantined"]:
        return []
    first = (sync.get("quarantine") or {}).get("first") or ()
    return [in_quarantine(sync["quarantined"], first), f"  strangler quarantine list {name}"]


def trouble(sync: dict[str, Any]) -> list[str]:
    """Why a stream doesn't follow, and the way out."""
    error = sync.get("error")
    if error:
        at = f" at {error['position']}" if error.get("position") else ""
        lines = [f"stream stopped{at}: {error['message']}", *_ageing(sync)]
        return [*lines, *([f"  {error['way_out']}"] if error.get("way_out") else [])]
    if sync["state"] in ("unreachable", "retrying") and sync.get("note"):
        return [f"stream {sync['state']}: {sync['note']}", *_ageing(sync)]
    if sync["state"] == "not running":
        return ["its stream worker does not answer: strangler ps"]
    return []


def _ageing(sync: dict[str, Any]) -> list[str]:
    """What a stream that does not follow means for who reads from new."""
    lag = sync.get("lag_seconds")
    return [] if lag is None else [f"  traffic is untouched; data on new is {phrase.lag(lag)} old and ageing"]


def show_one(found: dict[str, Any], screen: Screen) -> None:
    c = found["capabilities"][0]
    screen.line("   ".join(_title(c)), style="bold")
    screen.line()
    columns = [
        Column("ROUTE"),
        Column("TO NEW", right=True),
        Column("SERVED legacy | new", right=True),
        Column("ERRORS", right=True),
        Column("P50 ms", right=True),
        Column("P99 ms", right=True),
    ]
    screen.grid(columns, [_route_row(r) for r in c["routes"]])
    screen.line()
    for name, text in (("data", _data(c)), *_verifying(c), *_dated(c), ("next", _next(c)), *_lacking(c)):
        screen.line(f"{name:<9}  {text}")
    screen.line(f"way back   {_way_back(c)}")
    screen.line(f"proxies    {applied(found)}")
    for line in remarks(c):
        screen.line(line)


def _title(c: dict[str, Any]) -> list[str]:
    since = f' since {phrase.clock(c["since"])} ({c["actor"]}: "{c["reason"]}")' if c["since"] else ""
    next_phase = c["next"]["phase"]
    return [c["name"], f"{c['phase']}{since}", f"owner {c['owner']}", *([f"next: {next_phase}"] if next_phase else [])]


def _route_row(r: dict[str, Any]) -> Row:
    method, path = r["route"].split(" ", 1)
    to_new = f"pin {r['pin']}" if r["pin"] else phrase.percent(r["percent"])
    if r["access"] == "write" and not r["pin"] and not r["percent"]:
        to_new = "write"
    return (
        f"{method:<5}{path}",
        to_new + "".join(f" +{cohort}" for cohort in r["cohorts"]),
        phrase.pair(r["served"], phrase.count),
        phrase.pair(r["errors"], phrase.count),
        phrase.pair(r["p50_ms"], phrase.milliseconds),
        phrase.pair(r["p99_ms"], phrase.milliseconds),
    )


def _data(c: dict[str, Any]) -> str:
    sync = c["sync"]
    if sync["state"] == "none":
        return "no tables"
    parts = [f"{c['tables']} tables"]
    if sync["state"] == "streaming":
        p99 = sync.get("lag_p99_seconds")
        parts.append(f"lag {phrase.lag(sync['lag_seconds'])}" + (f" (p99 {phrase.lag(p99)})" if p99 else ""))
    else:
        parts.append(in_sync(c).removeprefix("no, "))
    held = sync["quarantined"]
    parts.append(f"{held:,} {'key' if held == 1 else 'keys'} in quarantine" if held else "quarantine empty")
    verified = next((e for e in c["evidence"] if e["kind"] == "verify"), None)
    parts.append(f"verified {phrase.clock(verified['at'])}: {verified['summary']}" if verified else "never verified")
    return ", ".join(parts)


def _verifying(c: dict[str, Any]) -> list[tuple[str, str]]:
    """What continuous mode does, and what it last found."""
    seen = c.get("continuous")
    if seen is None:
        return []
    if seen["why"]:
        return [("verifying", f"waits: {seen['why']}")]
    hot, whole, last = seen["hot"], seen["round"], seen["last"]
    found = f"{hot['different']:,} of them differ ({'; '.join(hot['keys'])})" if hot["different"] else "equal"
    lines = []
    if hot["at"]:
        lines.append(("verifying", f"{hot['rows']:,} changed rows compared, {found}, {phrase.clock(hot['at'])}"))
    if whole["began_at"]:
        slow = f", {whole['waiting']}" if whole["waiting"] else ""
        before = f"; last {phrase.clock(last['at'])}: {last['summary']}" if last else ""
        text = f"round since {phrase.clock(whole['began_at'])}: {whole['rows']:,} rows{slow}{before}"
        lines.append(("" if lines else "verifying", text))
    return lines


def _dated(c: dict[str, Any]) -> list[tuple[str, str]]:
    return [
        (e["kind"], f"{e['summary']}, {phrase.clock(e['at'])}")
        for e in c["evidence"]
        if e["kind"] in ("contract", "load")
    ]


def _next(c: dict[str, Any]) -> str:
    following = c["next"]
    if following["phase"] is None:
        return str(following["reasons"][0])
    return f"{following['phase']}: {'allowed' if following['allowed'] else 'not yet'}"


def _lacking(c: dict[str, Any]) -> list[tuple[str, str]]:
    """What the next gate misses, and the command that brings it."""
    lines = []
    for check in c["next"]["checks"]:
        if check["verdict"] != "pass":
            lines.append(("", f"  {check['name']}: {check['text']}"))
            lines += [("", f"    {check['fix']}")] if check["fix"] else []
    return lines


def _way_back(c: dict[str, Any]) -> str:
    if c["phase"] == "legacy":
        return "nothing to go back from"
    if c["rollback"]["safe"]:
        return "safe: rollback loses nothing"
    return _unsafe(c)


def _unsafe(c: dict[str, Any]) -> str:
    rows = c["rollback"]["rows_at_risk"]
    return f"{rows:,} {'row' if rows == 1 else 'rows'} at risk" if rows else "not now"
