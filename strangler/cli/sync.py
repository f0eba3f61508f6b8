"""``strangler sync``: change streams."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from strangler.cli import phrase
from strangler.cli.client import Client
from strangler.cli.grid import Column, Row
from strangler.cli.options import CapabilityName, DryRun, Json, Reason
from strangler.cli.screen import Screen, print_json
from strangler.cli.status import trouble, waiting


def register(app: typer.Typer) -> None:
    group = typer.Typer(help="Change streams: rows of legacy that follow to the new side.")
    for command in (status, start, pause, resume, resnapshot):
        group.command(command.__name__)(command)
    app.add_typer(group, name="sync")


def status(
    capability: Annotated[str | None, typer.Argument(metavar="[CAPABILITY]", help="All of them without it.")] = None,
    as_json: Json = False,
) -> None:
    """What every stream does, how old the rows are that it has brought, and where it is in the binlog."""
    found = Client().get("/sync" if capability is None else f"/sync/{capability}")
    if as_json:
        print_json(found)
    else:
        show(found["streams"], Screen())


Back = Annotated[bool, typer.Option("--back", help="The stream from new to legacy.")]


def start(
    capability: CapabilityName, back: Back = False, reason: Reason = "", dry_run: DryRun = False, as_json: Json = False
) -> None:
    """Copy what is there, then follow. advance to synced does the same and waits."""
    _change(capability, "start", _direction(back), reason, dry_run, as_json)


def pause(
    capability: CapabilityName, back: Back = False, reason: Reason = "", dry_run: DryRun = False, as_json: Json = False
) -> None:
    """Stop where it is; the position is kept."""
    _change(capability, "pause", _direction(back), reason, dry_run, as_json)


def resume(
    capability: CapabilityName, back: Back = False, reason: Reason = "", dry_run: DryRun = False, as_json: Json = False
) -> None:
    """Go on from the stored position, also after an error."""
    _change(capability, "resume", _direction(back), reason, dry_run, as_json)


def resnapshot(
    capability: CapabilityName,
    tables: Annotated[
        list[str] | None, typer.Argument(metavar="[TABLE]...", help="Legacy tables; all without.")
    ] = None,
    reason: Reason = "",
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Copy tables again, then follow: the way out of a purged binlog."""
    _change(capability, "resnapshot", {"tables": tables or []}, reason, dry_run, as_json)


def _direction(back: bool) -> dict[str, Any]:
    return {"direction": "to_legacy"} if back else {}


def _change(capability: str, action: str, more: dict[str, Any], reason: str, dry_run: bool, as_json: bool) -> None:
    done = Client().post(f"/sync/{capability}/{action}", {**more, "reason": reason, "dry_run": dry_run})
    if as_json:
        print_json(done)
        return
    screen = Screen()
    for line in done["would"]:
        screen.line(f"would {line}")
    for line in done["warnings"]:
        screen.line(f"warning: {line}")
    if dry_run:
        screen.line("nothing was changed")
        return
    screen.line(f"stream {capability}: {_DONE[action]}, it is {done['streams'][0]['state']} now")
    screen.line(f"  strangler sync status {capability}   shows how it goes on")


_DONE = {"start": "started", "pause": "asked to pause", "resume": "asked to go on", "resnapshot": "asked to copy again"}


def show(streams: list[dict[str, Any]], screen: Screen) -> None:
    if not streams:
        screen.line("no capability has tables: there is no change stream")
        return
    columns = [
        Column("STREAM"),
        Column("STATE"),
        Column("LAG", right=True),
        Column("EVENTS", right=True),
        Column("ROWS/S", right=True),
        Column("QUARANTINE", right=True),
        Column("POSITION"),
    ]
    screen.grid(columns, [_row(s) for s in streams])
    for stream in streams:
        held = waiting(stream["capability"], stream) if stream.get("quarantined") else []
        lines = [*copying(stream), *trouble(stream), *held, *(f"warning: {w}" for w in stream.get("warnings") or ())]
        for line in lines:
            screen.line(f"{named(stream)}: {line}")


def _row(s: dict[str, Any]) -> Row:
    following = s["state"] in ("streaming", "paused", "retrying", "stopped", "not running")
    return (
        named(s),
        s["state"],
        phrase.lag(s["lag_seconds"]) if following else "-",
        phrase.count(s["events"]),
        phrase.count(round(s["rows_per_second"])),
        f"{s['quarantined']:,} key{'' if s['quarantined'] == 1 else 's'}" if s.get("quarantined") else "-",
        short(s["position"]),
    )


def named(stream: dict[str, Any]) -> str:
    """The capability, and the direction where it is the other one."""
    return f"{stream['capability']}{'.back' if stream.get('direction') == 'to_legacy' else ''}"


def short(position: str | None) -> str:
    """A GTID set's server part cut to its beginning; --json has it whole."""
    if not position:
        return "-"
    parts = [
        f"{p[:4]}..{p[p.rindex(':', 0, len(p)) :]}" if len(p) > 24 and ":" in p else p for p in position.split(",")
    ]
    return ",".join(parts)


def copying(stream: dict[str, Any]) -> list[str]:
    progress = stream.get("progress")
    if stream["state"] != "copying" or not progress:
        return []
    total, done, rate = progress["rows_total"], progress["rows_done"], progress["rows_per_second"]
    left = f", {phrase.duration((total - done) / rate)} left" if rate and total >= done else ""
    waits = f", waits: {progress['throttled']}" if progress.get("throttled") else ""
    number = min(progress["tables_done"] + 1, progress["tables_total"])
    return [
        f"copying {progress['table']}, table {number} of {progress['tables_total']}: "
        f"{done:,} of {total:,} rows, {rate:,.0f} rows/s{left}{waits}"
    ]
