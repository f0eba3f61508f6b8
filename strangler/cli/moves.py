"""``strangler advance`` and ``strangler rollback``: move one capability between phases."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from strangler.cli.client import Client
from strangler.cli.options import CapabilityName, DryRun, Json, Percent, Reason
from strangler.cli.progress import Follower
from strangler.cli.screen import Screen, print_json
from strangler.phases import Phase

To = Annotated[Phase | None, typer.Option("--to", metavar="PHASE", help="The next one (back: synced) without it.")]


def register(app: typer.Typer) -> None:
    app.command("advance")(advance)
    app.command("rollback")(rollback)


def advance(
    capability: CapabilityName,
    to: To = None,
    percent: Percent = None,
    reason: Reason = "",
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """One phase on, if its gate allows: synced, canary, reads, writes. --percent is the first share of canary."""
    body = {"to": to, "percent": percent, "reason": reason, "dry_run": dry_run}
    _move("advance", capability, body, as_json=as_json)


def rollback(
    capability: CapabilityName,
    to: To = None,
    reason: Reason = "",
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Back to an earlier phase, without asking for evidence: write ownership first, by the same procedure, keeping what
    was written since; then all traffic to legacy, whatever users carry."""
    _move("rollback", capability, {"to": to, "reason": reason, "dry_run": dry_run}, as_json=as_json)


def _move(kind: str, capability: str, body: dict[str, Any], *, as_json: bool) -> None:
    events = Client().stream(f"/capabilities/{capability}/{kind}", body)
    if as_json:
        *_, last = events
        print_json({key: value for key, value in last.items() if key != "event"})
        return
    screen = Screen()
    show(kind, Follower(screen).follow(events), screen)


def show(kind: str, done: dict[str, Any], screen: Screen) -> None:
    name = done["capability"]
    if done.get("dry_run"):
        screen.line(
            f"would {'take' if kind == 'advance' else 'bring back'} {name} from {done['from']} to {done['to']}:"
        )
        for sentence in done["would"]:
            screen.line(f"  {sentence}")
        screen.line("nothing was changed")
        return
    screen.line(f"{name} is in {done['to']}.{_moved(done)}")
    if done.get("warning"):
        screen.line(f"warning: {done['warning']}")
    undo = f"    undo: strangler rollback {name}" if kind == "advance" else ""
    screen.line(f"journal {done['journal']}{undo}")


def _moved(done: dict[str, Any]) -> str:
    """What a move of ownership cost those who waited."""
    if not done.get("hold_ms_max"):
        return ""
    held = done["held_requests"]
    waited = "an unknown number of requests" if held is None else f"{held:,} {'request' if held == 1 else 'requests'}"
    return f" It is owned by {done['owner']}. No wait was longer than {done['hold_ms_max']:,.0f} ms, {waited} held."
