"""``strangler load run``: realistic traffic through the proxy, and whether every acknowledged write is found."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import typer

from strangler.cli import child, phrase
from strangler.cli.client import Client
from strangler.cli.failure import wrong
from strangler.cli.grid import Column
from strangler.cli.options import Json
from strangler.cli.screen import Screen, print_json
from strangler.config.placeholders import fill
from strangler.exits import Exit


def register(app: typer.Typer) -> None:
    group = typer.Typer(help="Load runs.")
    group.callback()(lambda: None)
    group.command("run")(run)
    app.add_typer(group, name="load")


def run(
    scenario: Annotated[str, typer.Argument(metavar="SCENARIO", help="As loadtests names them: shop, flip.")],
    users: Annotated[int, typer.Option(min=1, help="At the same time.")] = 20,
    seconds: Annotated[int, typer.Option(min=1, help="How long.")] = 30,
    as_json: Json = False,
) -> None:
    """Drive a scenario through the proxy and keep the result as evidence of every capability it touches."""
    client = Client()
    config, envoy = client.config, client.ports.envoy
    if envoy is None:
        raise wrong("the proxy was never started here", Exit.FAILED, ["start it: strangler up"])
    out = config.home / "load" / f"{datetime.now():%Y%m%d-%H%M%S}-{scenario}"
    section = config.load.get(scenario)
    arguments = [scenario, "--host", f"http://127.0.0.1:{envoy.listen}", "--users", str(users)]
    arguments += ["--seconds", str(seconds), "--out", str(out)]
    if section is not None:
        arguments += [fill(text, client.resolved.value) for text in section.arguments]
    code, found = child.answer("loadtests.run", arguments, cwd=config.root)
    if code not in (Exit.DONE, Exit.FAILED):
        raise wrong(str(found.get("error", f"loadtests.run ended with exit status {code}")), Exit.USAGE)
    keys = ("requests", "errors", "acknowledged", "lost", "doubled", "p50_ms", "p99_ms")
    body = {
        "kind": "load",
        "ok": code == Exit.DONE,
        "summary": _summary(scenario, found),
        "data": {"scenario": scenario, "users": users, "seconds": seconds, **{k: found.get(k) for k in keys}},
    }
    for capability in section.capabilities if section is not None else config.capabilities:
        client.bring(f"/evidence/{capability}", body)
    if as_json:
        print_json(found)
    else:
        _show(found, _summary(scenario, found), Screen())
    if code != Exit.DONE:
        raise typer.Exit(Exit.FAILED)


def _summary(scenario: str, found: dict[str, Any]) -> str:
    parts = [f"{found['requests']:,} requests", f"{found['errors']:,} errors"]
    if found.get("acknowledged") is not None:
        parts.append(f"{found['acknowledged']:,} acknowledged writes")
        parts += [f"{found[key]:,} {key}" for key in ("lost", "doubled") if found.get(key) is not None]
    return f"{scenario}: {', '.join(parts)}"


def _show(found: dict[str, Any], summary: str, screen: Screen) -> None:
    names = list(found.get("p50_ms") or {})
    if names:
        columns = [Column("SIDE"), Column("P50 ms", right=True), Column("P99 ms", right=True)]
        p99 = found.get("p99_ms") or {}
        rows = [(n, phrase.milliseconds(found["p50_ms"][n]), phrase.milliseconds(p99.get(n))) for n in names]
        screen.grid(columns, rows)
    screen.line(summary)
