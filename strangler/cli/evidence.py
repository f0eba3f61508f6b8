"""``strangler evidence``: what was measured."""

from __future__ import annotations

from typing import Annotated

import typer

from strangler.cli import phrase
from strangler.cli.client import Client
from strangler.cli.grid import Column
from strangler.cli.options import CapabilityName, Json
from strangler.cli.screen import Screen, print_json


def register(app: typer.Typer) -> None:
    app.command("evidence")(evidence)


def evidence(
    capability: CapabilityName,
    kind: Annotated[str | None, typer.Option(help="verify, contract, lag, errors or load.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many, newest first.")] = 30,
    as_json: Json = False,
) -> None:
    """Dated results: rows compared, contracts run, lag, errors of the two sides, load runs."""
    found = Client().get(f"/evidence/{capability}", kind=kind, limit=limit)
    if as_json:
        print_json(found)
        return
    screen = Screen()
    if not found["evidence"]:
        screen.line(f"nothing was measured for {capability} yet: strangler verify {capability}")
        return
    columns = [Column("WHEN"), Column("WHAT"), Column("SPEAKS"), Column("RESULT", prose=True)]
    rows = [
        (phrase.clock(e["at"]), e["kind"], "for" if e["ok"] else "against", e["summary"]) for e in found["evidence"]
    ]
    screen.grid(columns, rows)
