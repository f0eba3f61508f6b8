"""``strangler contracts run``: does each side keep the capability's contract."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

import typer

from strangler.cli import child
from strangler.cli.client import Client
from strangler.cli.failure import wrong
from strangler.cli.options import CapabilityName, Json
from strangler.cli.screen import Screen, print_json
from strangler.config.problem import nearest
from strangler.exits import Exit

_SHOWN = 20


class Sides(StrEnum):
    legacy = "legacy"
    new = "new"
    both = "both"


def register(app: typer.Typer) -> None:
    group = typer.Typer(help="Contracts: what every side of a capability must answer.")
    group.callback()(lambda: None)
    group.command("run")(run)
    app.add_typer(group, name="contracts")


def run(
    capability: CapabilityName,
    side: Annotated[Sides, typer.Option(help="Which side is asked; both also compares them.")] = Sides.both,
    as_json: Json = False,
) -> None:
    """Run the contract against the sides themselves and keep the result as evidence."""
    client = Client()
    config = client.config
    if capability not in config.capabilities:
        hint = nearest(capability, config.capabilities)
        raise wrong(f"no capability {capability!r} in {config.path.name}; {hint}", Exit.USAGE)
    section = config.capabilities[capability]
    if section.contract is None:
        raise wrong(f'{capability} has no contract in {config.path.name}: contract = "contracts/..."', Exit.USAGE)
    arguments = [section.contract, "--side", side.value]
    arguments += ["--legacy-url", client.resolved.side_url(config.legacy)]
    arguments += ["--new-url", client.resolved.side_url(section)]
    code, found = child.answer("contracts.run", arguments, cwd=config.root)
    if code not in (Exit.DONE, Exit.FAILED):
        raise wrong(str(found.get("error", f"contracts.run ended with exit status {code}")), Exit.USAGE)
    summary = _summary(found, side)
    data = {"side": side.value, "passed": found["passed"], "failed": found["failed"]}
    data["differences"] = found["differences"][:_SHOWN]
    body = {"kind": "contract", "ok": code == Exit.DONE, "summary": summary, "data": data}
    client.bring(f"/evidence/{capability}", body)
    if as_json:
        print_json(found)
    else:
        _show(found, summary, Screen())
    if code != Exit.DONE:
        raise typer.Exit(Exit.FAILED)


def _summary(found: dict[str, Any], side: Sides) -> str:
    total = found["passed"] + found["failed"]
    return f"{found['passed']:,} of {total:,} on {'both sides' if side is Sides.both else side.value}"


def _show(found: dict[str, Any], summary: str, screen: Screen) -> None:
    for d in found["differences"][:_SHOWN]:
        screen.line(f"{d.get('case', '')}   {d.get('side', '')}   {d.get('request', '')}")
        screen.line(f"  {d.get('message', '')}")
    if len(found["differences"]) > _SHOWN:
        screen.line(f"{len(found['differences']) - _SHOWN:,} more, --json names them")
    screen.line(f"contract: {summary}")
