"""``strangler repair``: finish or undo whatever a crash left half done."""

from __future__ import annotations

import typer

from strangler.cli.client import Client
from strangler.cli.options import DryRun, Json
from strangler.cli.screen import Screen, print_json


def register(app: typer.Typer) -> None:
    app.command("repair")(repair)


def repair(dry_run: DryRun = False, as_json: Json = False) -> None:
    """Finish or undo moves of ownership that were cut off. The control plane does the same when it starts."""
    found = Client().post("/repair", {"dry_run": dry_run})
    if as_json:
        print_json(found)
        return
    screen = Screen()
    if not found["journals"]:
        screen.line("nothing is half done")
    for journal in found["journals"]:
        screen.line(f"{journal['id']}: {journal['found']}")
        screen.line(f"  {journal['action']}")
    if dry_run and found["journals"]:
        screen.line("nothing was changed")
