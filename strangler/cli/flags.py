"""``strangler flag set``: change flags as one version."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

import typer

from strangler.cli.client import Client
from strangler.cli.options import DryRun, Json, Percent, Reason
from strangler.cli.screen import Screen, print_json


class Pin(StrEnum):
    legacy = "legacy"
    new = "new"
    none = "none"


def register(app: typer.Typer) -> None:
    group = typer.Typer(help="What the proxy does with each route now.")
    group.command("set")(set_)
    app.add_typer(group, name="flag")


def set_(
    target: Annotated[
        str, typer.Argument(metavar="CAPABILITY[/ROUTE]", help='"catalog", or one route: "catalog/GET /api/items".')
    ],
    percent: Percent = None,
    shadow: Annotated[float | None, typer.Option(metavar="N", help="Of requests, copied to the shadow.")] = None,
    pin: Annotated[Pin | None, typer.Option(help="Everybody to one side; none takes the pin away.")] = None,
    cohort: Annotated[list[str] | None, typer.Option(metavar="NAME", help="Members go to new. Repeatable.")] = None,
    no_cohort: Annotated[list[str] | None, typer.Option(metavar="NAME", help="Members count like everybody.")] = None,
    fallback: Annotated[bool | None, typer.Option(help="Legacy answers a safe request that failed on new.")] = None,
    reason: Reason = "",
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Change the flags of a capability, or of one of its routes, as one version of all proxies."""
    capability, route = split(target)
    body = {
        "route": route,
        "percent": percent,
        "shadow": shadow,
        "pin": pin.value if pin else None,
        "cohort": cohort or [],
        "no_cohort": no_cohort or [],
        "fallback": fallback,
        "reason": reason,
        "dry_run": dry_run,
    }
    done = Client().post(f"/flags/{capability}", body)
    if as_json:
        print_json(done)
    else:
        show(done, Screen())


def split(target: str) -> tuple[str, str | None]:
    """``catalog/GET /api/items`` is a route by name, ``catalog/api/items`` one by path."""
    capability, slash, route = target.partition("/")
    if not slash:
        return capability, None
    return capability, route if " " in route else f"/{route}"


def show(done: dict[str, Any], screen: Screen) -> None:
    if done["version"] == done["from_version"]:
        screen.line(f"{done['summary']}: nothing to change")
        screen.line(applied_line(done))
        return
    if done["dry_run"]:
        screen.line(f"would make version {done['version']} from {done['from_version']}:")
        for change in done["changes"]:
            screen.line(f"  {change}")
        screen.line("nothing was changed")
        return
    screen.line(f"version {done['version']}: {done['summary']}")
    if "->" not in done["summary"]:
        for change in done["changes"]:
            screen.line(f"  {change}")
    screen.line(applied_line(done))


def applied_line(done: dict[str, Any]) -> str:
    """``applied by 2 of 2 proxies in 3 ms``."""
    proxies = done["proxies"]
    if not proxies:
        return "no proxy is connected: it is stored, and whoever connects gets it first"
    have = sum(p["applied"] == done["version"] for p in proxies)
    took = f" in {done['ms_to_applied']:.0f} ms" if done["ms_to_applied"] is not None else ""
    return f"applied by {have} of {len(proxies)} {'proxy' if len(proxies) == 1 else 'proxies'}{took}"
