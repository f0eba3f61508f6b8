"""``strangler audit``: who did what and why."""

from __future__ import annotations

from typing import Annotated

import typer

from strangler.cli import phrase
from strangler.cli.client import Client
from strangler.cli.grid import Column
from strangler.cli.options import Json
from strangler.cli.screen import Screen, print_json


def register(app: typer.Typer) -> None:
    app.command("audit")(audit)


def audit(
    capability: Annotated[str | None, typer.Argument(metavar="[CAPABILITY]", help="All of them without it.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many, newest first.")] = 30,
    as_json: Json = False,
) -> None:
    """Who did what, when and why; what was tried and failed too."""
    found = Client().get("/audit", capability=capability, limit=limit)
    if as_json:
        print_json(found)
        return
    screen = Screen()
    if not found["entries"]:
        screen.line("nothing was changed yet")
        return
    columns = [*(Column(t) for t in ("WHEN", "WHO", "CAPABILITY", "WHAT", "VERSION")), Column("WHY", prose=True)]
    rows = [
        (
            phrase.clock(e["at"]),
            e["actor"],
            e["capability"] or "-",
            e["action"] + ("" if e["done"] else " (failed)"),
            "-" if e["version"] is None else str(e["version"]),
            e["reason"],
        )
        for e in found["entries"]
    ]
    screen.grid(columns, rows)
