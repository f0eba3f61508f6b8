"""``strangler verify``: compare rows of the two sides."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from strangler.cli import phrase
from strangler.cli.client import Client
from strangler.cli.grid import Column
from strangler.cli.options import CapabilityName, DryRun, Json, Reason
from strangler.cli.progress import Follower
from strangler.cli.screen import Screen, print_json
from strangler.exits import Exit

_SHOWN = 20  # rows named on the screen; --json names all that were listed


def register(app: typer.Typer) -> None:
    app.command("verify")(verify)


def verify(
    capability: CapabilityName,
    table: Annotated[list[str] | None, typer.Option(metavar="T", help="A table of the new side. Repeatable.")] = None,
    repair: Annotated[bool, typer.Option("--repair", help="Write the owner's value where rows differ.")] = False,
    anew: Annotated[bool, typer.Option("--anew", help="Don't go on with one that was cut off.")] = False,
    reason: Reason = "",
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Compare every row by key, through the mapping; name each missing, extra and differing key. Exit 1 if any."""
    body = {"tables": table or [], "repair": repair, "anew": anew, "reason": reason, "dry_run": dry_run}
    events = Client().stream(f"/verify/{capability}", body)
    if as_json:
        *_, last = events
        print_json({key: value for key, value in last.items() if key != "event"})
    else:
        screen = Screen()
        last = Follower(screen).follow(events)
        show(last, screen)
    if not last.get("dry_run") and not last["equal"]:
        raise typer.Exit(Exit.FAILED)


def show(found: dict[str, Any], screen: Screen) -> None:
    if found.get("dry_run"):
        for sentence in found["would"]:
            screen.line(f"would {sentence}")
        screen.line("nothing was changed")
        return
    columns = [
        Column("TABLE"),
        Column("ROWS", right=True),
        Column("ROWS/S", right=True),
        Column("TOOK", right=True),
        Column("RESULT"),
    ]
    screen.grid(
        columns,
        [
            (
                t["table"],
                phrase.count(t["rows"]),
                phrase.count(t["rows_per_second"]),
                phrase.duration(t["seconds"]),
                verdict(t),
            )
            for t in found["tables"]
        ],
    )
    for t in found["tables"]:
        for line in named(t):
            screen.line(line)
    for line in summary(found):
        screen.line(line)


def verdict(t: dict[str, Any]) -> str:
    """``equal``, or ``1 differs, 2 missing``; what was repaired."""
    parts = [
        f"{t[key]:,} {one if t[key] == 1 else many}"
        for key, one, many in (
            ("differing_total", "differs", "differ"),
            ("missing_total", "missing", "missing"),
            ("extra_total", "extra", "extra"),
            ("unsettled", "unsettled", "unsettled"),
        )
        if t[key]
    ]
    if t["repaired"]:
        parts.append(f"{len(t['repaired']):,} repaired")
    return ", ".join(parts) or "equal"


def named(t: dict[str, Any]) -> list[str]:
    """One line per row that differs."""
    lines = [f"{t['table']} {_key(d['key'])}   {_cells(d['columns'])}" for d in t["differing"]]
    lines += [f"{t['table']} {_key(key)}   missing on new" for key in t["missing"]]
    lines += [f"{t['table']} {_key(key)}   only on new" for key in t["extra"]]
    if len(lines) > _SHOWN:
        return [*lines[:_SHOWN], f"{t['table']}: {len(lines) - _SHOWN:,} more, --json names them"]
    return lines


def _key(key: dict[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in key.items())


def _cells(columns: dict[str, Any]) -> str:
    return "; ".join(f"{name}: legacy {_value(c['legacy'])}, new {_value(c['new'])}" for name, c in columns.items())


def _value(value: Any) -> str:
    return "NULL" if value is None else f'"{value}"' if isinstance(value, str) else str(value)


def summary(found: dict[str, Any]) -> list[str]:
    name, flight = found["capability"], found["in_flight"]
    different = sum(t["missing_total"] + t["extra_total"] + t["differing_total"] for t in found["tables"])
    lines = []
    if flight:
        lines.append(f"{flight:,} {'row was' if flight == 1 else 'rows were'} in flight and settled equal.")
    if not found["waited"]:
        lines.append("no stream was following: rows still in flight may be among the differences.")
    rows, unsettled = found["rows"], found["unsettled"]
    if unsettled:
        lines.append(f"{unsettled:,} {'row' if unsettled == 1 else 'rows'} kept changing and could not be compared:")
        lines.append(f"  strangler verify {name}              again, at a calmer moment")
    if found["equal"]:
        lines.append(f"{rows:,} rows equal.")
    elif different:
        lines.append(f"{different:,} {'row differs' if different == 1 else 'rows differ'}.")
        lines.append(f"  strangler verify {name} --repair     writes the owner's (legacy) value to the other side")
    return lines
