"""`make demo`: exit status 0 if everything held, 1 if not (and what did not)."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from rich.console import Console

from demo.command import DemoFailed, Terminal
from demo.journey import CAPABILITY, Journey
from demo.load import Customers
from demo.report import lines, show
from demo.writes import CAPABILITY as WRITING
from demo.writes import WritesJourney

ROOT = Path(__file__).resolve().parents[1]
STATE = ROOT / ".strangler"
OUT = STATE / "demo"


def main() -> int:
    parser = argparse.ArgumentParser(prog="make demo", description=__doc__)
    parser.add_argument("--items", type=int, default=20_000, help="how many items the shop has (default 20000)")
    parser.add_argument("--users", type=int, default=18, help="how many customers at once (default 18)")
    parser.add_argument("--keep", action="store_true", help="leave everything running afterwards")
    asked = parser.parse_args()
    os.chdir(ROOT)
    terminal = Terminal(Console(width=None if sys.stdout.isatty() else 100))
    begun = time.monotonic()
    try:
        held = run(terminal, asked.items, asked.users)
    except DemoFailed as failed:
        terminal.console.print(f"\n[bold]the demonstration stopped:[/bold] {failed.step}", highlight=False)
        terminal.console.print(failed.output, markup=False, highlight=False)
        for look in ("ps", "sync status"):
            terminal.show(look, may_fail=True)
        held = False
    finally:
        if not asked.keep:
            terminal.show("down", may_fail=True)
    took = time.monotonic() - begun
    verdict = "everything held" if held else "NOT everything held"
    terminal.console.print(f"\n{verdict}; {took:.0f} s in all", highlight=False)
    return 0 if held else 1


def run(terminal: Terminal, items: int, users: int) -> bool:
    shutil.rmtree(OUT, ignore_errors=True)
    fresh(terminal)
    terminal.show("up")
    places = json.loads((STATE / "run" / "ports.json").read_text())
    seed(terminal, places["databases"]["legacy"], items)
    customers = Customers(f"http://127.0.0.1:{places['envoy']['listen']}", OUT, users)
    customers.come()
    journey, writes = Journey(terminal, customers), WritesJourney(terminal)
    try:
        terminal.show("status")
        journey.go()
        writes.go()
        terminal.show("status")
        load = customers.leave()
    finally:
        customers.kill()
    terminal.note("the customers have gone home; every row by key, every acknowledged write")
    terminal.show(f"verify {CAPABILITY}", may_fail=True)
    both = [terminal.quiet(f"verify {name}") for name in (CAPABILITY, WRITING)]
    verified = {
        "equal": all(one["equal"] for one in both),
        "tables": [table for one in both for table in one["tables"]],
        "in_flight": sum(one.get("in_flight", 0) for one in both),
    }
    gateway = f"http://127.0.0.1:{places['processes']['gateway']}"
    ledger = check("loadtests.ledger", str(OUT), "--legacy-db", places["databases"]["legacy"], "--gateway", gateway)
    sticky = check("loadtests.stickiness", str(OUT))
    rows = lines(load, ledger, sticky, verified, journey.seen.flips_ms, journey.seen.lags_seconds, writes.moves)
    return show(terminal.console, rows)


def fresh(terminal: Terminal) -> None:
    """The demonstration begins at the beginning: what an earlier one left behind is removed, after stopping it."""
    if STATE.exists():
        terminal.note("removing what an earlier run left in .strangler")
        terminal.show("down", may_fail=True)
        shutil.rmtree(STATE)


def seed(terminal: Terminal, database_url: str, items: int) -> None:
    terminal.note(f"{items:,} items, and the people, bags and orders around them")
    ledger = str(STATE / "state" / "gateway.db")
    environment = {**os.environ, "DATABASE_URL": database_url, "GATEWAY_LEDGER": ledger}
    done = subprocess.run([sys.executable, "-m", "legacy_monolith.seed", "--items", str(items)], env=environment)
    if done.returncode != 0:
        raise DemoFailed("the shop could not be filled", "")


def check(module: str, *arguments: str) -> dict[str, Any]:
    """Run one of the load tests' checks; its exit status is judged by the table, a crash is not."""
    done = subprocess.run([sys.executable, "-m", module, *arguments, "--json"], capture_output=True, text=True)
    try:
        found: dict[str, Any] = json.loads(done.stdout)
    except ValueError:
        raise DemoFailed(f"{module} ended with exit status {done.returncode}", done.stdout + done.stderr) from None
    return found


if __name__ == "__main__":
    sys.exit(main())
