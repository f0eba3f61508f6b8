"""``strangler quarantine``: events that could not be applied."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from strangler.cli import phrase
from strangler.cli.client import Client
from strangler.cli.failure import wrong
from strangler.cli.grid import Column
from strangler.cli.options import DryRun, Json, Reason
from strangler.cli.screen import Screen, print_json
from strangler.cli.sync import short
from strangler.exits import Exit

Id = Annotated[str, typer.Argument(metavar="ID", help="As quarantine list shows it.")]
_PATIENCE_SECONDS = 120.0
_SHOWN = 60  # characters of a value


def register(app: typer.Typer) -> None:
    group = typer.Typer(help="Events that could not be applied: they wait with their key, all other keys go on.")
    group.command("list")(list_events)
    for command in (show, retry, discard):
        group.command(command.__name__)(command)
    app.add_typer(group, name="quarantine")


def list_events(
    capability: Annotated[str | None, typer.Argument(metavar="[CAPABILITY]", help="All of them without it.")] = None,
    as_json: Json = False,
) -> None:
    """The first event of every key that waits, what is wrong with it, and how many wait behind it."""
    found = Client().get("/quarantine", capability=capability)
    if as_json:
        print_json(found)
    else:
        show_list(found, Screen())


def show(id: Id, as_json: Json = False) -> None:
    """One event, whole, and what waits behind it."""
    found = Client().get(f"/quarantine/{id}")
    if as_json:
        print_json(found)
    else:
        show_key(id, found, Screen())


def retry(
    id: Annotated[str | None, typer.Argument(metavar="[ID]", help="An event of the key; or --all.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Every key that waits.")] = False,
    capability: Annotated[str | None, typer.Option(metavar="NAME", help="With --all: of one capability.")] = None,
    reason: Reason = "",
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Apply the events of a key in their order, in one transaction; what is still refused stays. Exit 1 if any does."""
    if (id is None) is not everything:
        raise wrong("say which: an ID, or --all", Exit.USAGE)
    path = "/quarantine/retry" if id is None else f"/quarantine/{id}/retry"
    _change(path, {"capability": capability, "reason": reason, "dry_run": dry_run}, as_json)


def discard(id: Id, reason: Reason = "", dry_run: DryRun = False, as_json: Json = False) -> None:
    """Throw one event away for good; what waits behind it is applied. The row may then differ: verify names it."""
    _change(f"/quarantine/{id}/discard", {"reason": reason, "dry_run": dry_run}, as_json)


def _change(path: str, body: dict[str, Any], as_json: bool) -> None:
    done = Client().post(path, body, timeout_seconds=_PATIENCE_SECONDS)
    if as_json:
        print_json(done)
    else:
        show_change(done, Screen())
    if not done["done"] and not done["dry_run"]:
        raise typer.Exit(Exit.FAILED)


def show_list(found: dict[str, Any], screen: Screen) -> None:
    for line in found["unreachable"]:
        screen.line(line)
    events = found["events"]
    if not events:
        screen.line("nothing is in quarantine")
        return
    columns = [
        Column("ID"),
        Column("KEY"),
        Column("BEHIND", right=True),
        Column("SINCE"),
        Column("ERROR", prose=True),
    ]
    rows = [
        (
            e["id"],
            f"{e['table']} {e['key']}",
            phrase.count(e["waiting_behind"]),
            phrase.clock(e["stored_at"]),
            e["error"] or f"waits for another row's {e['op']}",
        )
        for e in events
    ]
    screen.grid(columns, rows)
    for use in found["use"]:
        if use["events"]:
            screen.line(_use(use))
    screen.line("  strangler quarantine show ID        one event, whole")
    screen.line("  strangler quarantine retry --all    applies them, once what they say is mended")


def _use(use: dict[str, Any]) -> str:
    keys, events = use["keys"], use["events"]
    return (
        f"{use['capability']}: {keys:,} key{'' if keys == 1 else 's'}, {events:,} event{'' if events == 1 else 's'},"
        f" {_size(use['bytes'])}; it stops at {use['max_events']:,} events or {_size(use['max_bytes'])}"
    )


def _size(number: int) -> str:
    if number < 1024:
        return f"{number} B"
    return f"{number / 1024:.1f} kB" if number < 1024 * 1024 else f"{number / 1024 / 1024:.1f} MB"


def show_key(id: str, found: dict[str, Any], screen: Screen) -> None:
    asked = next(e for e in found["events"] if e["id"] == id)
    words = {"c": "created", "u": "updated", "d": "deleted", "r": "copied"}
    screen.line(f"{id}   {asked['table']} {asked['key']} {words.get(asked['op'], asked['op'])}", style="bold")
    screen.line(f"position   {asked['position']}")
    screen.line(f"since      {phrase.clock(asked['stored_at'])}")
    head = found["events"][0]
    screen.line(f"error      {asked['error'] or 'waits behind ' + head['id']}")
    screen.line()
    screen.grid([Column("COLUMN"), Column("BEFORE"), Column("AFTER")], _cells(asked["event"]))
    later = found["events"][found["events"].index(asked) + 1 :]
    if later:
        screen.line()
        screen.line(
            f"{len(later):,} later {'event of this key waits' if len(later) == 1 else 'events of this key wait'}:"
        )
        for e in later:
            screen.line(f"  {e['id']}   {words.get(e['op'], e['op'])} at {short(e['position'])}")
    screen.line()
    screen.line(
        f"  strangler quarantine retry {head['id']}      applies the key's events in order, once this is mended"
    )
    screen.line(f'  strangler quarantine discard {id} --reason "..."    throws this event away')


def _cells(event: dict[str, Any]) -> list[tuple[str, ...]]:
    before, after = event.get("before") or {}, event.get("after") or {}
    return [(name, _value(before, name), _value(after, name)) for name in dict.fromkeys([*before, *after])]


def _value(row: dict[str, Any], name: str) -> str:
    if name not in row:
        return "-"
    value = row[name]
    text = "NULL" if value is None else f'"{value}"' if isinstance(value, str) else str(value)
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "..."


def show_change(done: dict[str, Any], screen: Screen) -> None:
    for line in done["would"]:
        screen.line(f"would {line}")
    if done["dry_run"]:
        if not done["would"]:
            screen.line("nothing is in quarantine")
        screen.line("nothing was changed")
        return
    applied, left = len(done["applied"]), done["events"]
    for id in done["discarded"]:
        screen.line(f"{id} was thrown away")
    if applied:
        screen.line(f"{applied:,} event{' was' if applied == 1 else 's were'} applied")
    elif not left and not done["discarded"]:
        screen.line("nothing was in quarantine")
    for e in left:
        behind = f", {e['waiting_behind']:,} behind it" if e["waiting_behind"] else ""
        screen.line(f"{e['id']} {e['table']} {e['key']} waits{behind}: {e['error'] or 'for an earlier event'}")
    for table, row in done["rows"].items():
        values = "there is none" if row is None else ", ".join(f"{name} {_value(row, name)}" for name in row)
        screen.line(f"the row on new, {table}: {values}")
    if done["discarded"]:
        capability = done["discarded"][0].rpartition("-")[0]
        screen.line("if it differs from legacy's now, verify names it:")
        screen.line(f'  strangler verify {capability} --repair --reason "..."    writes the owner\'s (legacy) value')
