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
    """One phase on, if its gate allows: legacy, synced, canary, reads. --percent is the first share of canary."""
    body = {"to": to, "percent": percent, "reason": reason, "dry_run": dry_run}
    _move("advance", capability, body, as_json=as_json)


def rollback(
    capability: CapabilityName,
    to: To = None,
    reason: Reason = "",
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Back to an earlier phase, without asking for evidence: all traffic to legacy first, whatever users carry."""
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
    screen.line(f"{name} is in {done['to']}.")
    undo = f"    undo: strangler rollback {name}" if kind == "advance" else ""
    screen.line(f"journal {done['journal']}{undo}")
