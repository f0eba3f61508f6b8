"""The second half of the journey: write ownership of purchasing goes to new and comes back, while people buy."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from textwrap import shorten
from typing import Any

from demo.command import DemoFailed, Terminal

CAPABILITY = "purchasing"
LOOK_SECONDS = 5.0  # how long people buy on the new owner


@dataclass
class WritesJourney:
    """``moves``: what each move of ownership said of itself. Each step raises DemoFailed where it does not arrive."""

    terminal: Terminal
    moves: list[dict[str, Any]] = field(default_factory=list)

    def go(self) -> None:
        self.terminal.note("now the crown: purchasing, where the money is; its data and its reads first")
        for line in ("--to synced", "--to canary --percent 100", "--to reads"):
            self.run("advance", f'{line} --reason "the data and the reads"', line.split()[1])
        self.terminal.note(
            "and its writes, while customers check out: carts, orders, payments, whether an item is to be had"
        )
        self.move("advance", "writes")
        time.sleep(LOOK_SECONDS)
        self.terminal.note("back again, the same way, keeping what was bought meanwhile")
        self.move("rollback", "reads")

    def move(self, kind: str, to: str) -> None:
        result = self.run(kind, f'--to {to} --reason "planned, while people buy"', to)
        self.moves.append(result)

    def run(self, kind: str, rest: str, to: str) -> dict[str, Any]:
        result = self.terminal.strangler(f"{kind} {CAPABILITY} {rest}", said)
        if result.get("to") != to or not result.get("done"):
            raise DemoFailed(f"{CAPABILITY} did not arrive at {to}", str(result))
        return result


def said(result: dict[str, Any]) -> str:
    """What a person reads: each step of a move of ownership with its time, or only where it went."""
    line = f"{CAPABILITY}: {result['from']} -> {result['to']}"
    if not result.get("hold_ms_max"):
        return line
    steps = [
        f"✓ {step['name']:<18} {shorten(step['text'], 42, placeholder=' ...'):<43} {step['ms']:>7,.0f} ms"  # 80 columns
        for step in result["steps"]
    ]
    held = result["held_requests"]
    wait = f"owned by {result['owner']}; {held} requests held, none longer than {result['hold_ms_max']:,.0f} ms"
    return "\n".join([line, *steps, wait])
