"""``strangler cohort``: groups of users that go to new by name."""

from __future__ import annotations

from typing import Annotated

import typer

from strangler.cli.client import Client
from strangler.cli.options import Json, Reason
from strangler.cli.screen import Screen, print_json


def register(app: typer.Typer) -> None:
    group = typer.Typer(help="Groups of users that may go to new by name.")
    group.callback()(lambda: None)
    group.command("token")(token)
    app.add_typer(group, name="cohort")


def token(
    cohort: Annotated[str, typer.Argument(metavar="COHORT", help="As in strangler.toml.")],
    days: Annotated[float, typer.Option(min=0.001, max=3650, help="How long it is good for.")] = 30,
    reason: Reason = "",
    as_json: Json = False,
) -> None:
    """A signed token that makes a client a member."""
    done = Client().post(f"/cohorts/{cohort}/token", {"ttl_seconds": round(days * 86400), "reason": reason})
    if as_json:
        print_json(done)
        return
    screen = Screen()
    screen.line(done["token"])
    screen.line(f"as the cookie {done['cookie']} or the header {done['header']}, good for {days:g} days")
