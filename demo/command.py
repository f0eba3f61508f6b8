"""Runs one `strangler` command as a person would, shows it, and returns what its ``--json`` says."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from rich.console import Console

PATIENCE_SECONDS = 180.0  # far more than any step takes; a demonstration that hangs tells nobody anything


class DemoFailed(Exception):
    """A step of the demonstration did not do what it has to. ``output`` is what the command said."""

    def __init__(self, step: str, output: str) -> None:
        super().__init__(step)
        self.step = step
        self.output = output


@dataclass(frozen=True)
class Terminal:
    """Where the demonstration is shown, and how commands are run (``python -m strangler.cli`` of this Python)."""

    console: Console

    def strangler(self, line: str, say: Callable[[dict[str, Any]], str] | None = None) -> dict[str, Any]:
        """Run ``strangler LINE --json``; show the line and ``say(result)``. Raises DemoFailed on a bad exit."""
        self.console.print(f"\n[bold]$ strangler {line}[/bold]", highlight=False)
        result = self.quiet(line)
        if say:
            self.console.print("  " + say(result).replace("\n", "\n  "), highlight=False, markup=False)
        return result

    def quiet(self, line: str) -> dict[str, Any]:
        """The same without showing it."""
        command = [sys.executable, "-m", "strangler.cli", *shlex.split(line), "--json"]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            raise DemoFailed(f"strangler {line} did not end within {PATIENCE_SECONDS:.0f} s", "") from None
        if done.returncode != 0:
            raise DemoFailed(f"strangler {line} ended with exit status {done.returncode}", done.stdout + done.stderr)
        result: dict[str, Any] = json.loads(done.stdout)
        return result

    def show(self, line: str, may_fail: bool = False) -> int:
        """Run ``strangler LINE`` with its own output on this terminal, as a person sees it."""
        self.console.print(f"\n[bold]$ strangler {line}[/bold]", highlight=False)
        done = subprocess.run([sys.executable, "-m", "strangler.cli", *shlex.split(line)])
        if done.returncode != 0 and not may_fail:
            raise DemoFailed(f"strangler {line} ended with exit status {done.returncode}", "")
        return done.returncode

    def note(self, text: str) -> None:
        self.console.print(f"\n[dim]# {text}[/dim]", highlight=False)
