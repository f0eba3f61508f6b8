"""Flips during a load run: a schedule of percents, and who is called to make each one true."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from loadtests.flips import record_flip

#: Up in steps, back in one, and again: what a migration does to its shoppers.
SCHEDULE = (10.0, 40.0, 100.0, 0.0)
#: Makes the percent true and gives the version of the proxy's routes that did it. Raises FlipFailed.
FlipHook = Callable[[float], int]


def parse_schedule(written: str) -> tuple[float, ...]:
    """``10,40,100,0`` as percents. Raises ValueError."""
    try:
        schedule = tuple(float(part) for part in written.split(","))
    except ValueError as error:
        raise ValueError(f"a schedule is percents with commas between, such as 10,40,100,0, not {written!r}") from error
    if wrong := [percent for percent in schedule if not 0 <= percent <= 100]:
        raise ValueError(f"a percent is from 0 to 100, not {wrong[0]:g}")
    if any(one == other for one, other in zip(schedule, (*schedule[1:], schedule[0]), strict=True)):
        raise ValueError(
            f"neighbours in the schedule {written} must differ, also the last and the first: it goes round"
        )
    return schedule


class FlipFailed(Exception):
    """The flip did not happen; the text says why."""


def command_hook(template: str, timeout_seconds: float = 30.0) -> FlipHook:
    """A command line in which ``{percent}`` is filled in; its output ends with a JSON object that has ``version``
    (``strangler flag set catalog --percent {percent} --reason load --json``)."""
    if "{percent}" not in template:
        raise ValueError("the hook's command has no {percent} in it")

    def flip(percent: float) -> int:
        argv = shlex.split(template.replace("{percent}", f"{percent:g}"))
        if argv and argv[0] == "python":
            argv[0] = sys.executable
        try:
            done = subprocess.run(argv, capture_output=True, text=True, timeout=timeout_seconds)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise FlipFailed(f"{shlex.join(argv)}: {error}") from error
        if done.returncode != 0:
            raise FlipFailed(f"{shlex.join(argv)} ended with {done.returncode}: {(done.stderr or done.stdout).strip()}")
        try:
            return int(json.loads(done.stdout)["version"])
        except (ValueError, KeyError, TypeError) as error:
            raise FlipFailed(f"{shlex.join(argv)} printed no JSON with a version: {done.stdout[:200]!r}") from error

    return flip


class Flipping:
    """Calls a hook along a schedule of percents, over and over. ``due`` says when next, in monotonic seconds."""

    def __init__(
        self,
        hook: FlipHook,
        every_seconds: float,
        folder: Path,
        capability: str,
        began: float,
        schedule: Sequence[float] = SCHEDULE,
    ) -> None:
        self._hook = hook
        self._every = every_seconds
        self._folder = folder
        self._capability = capability
        self._schedule = tuple(schedule)
        self._step = 0
        self.due = began + every_seconds
        self.done = 0
        self.longest_ms = 0.0

    def flip(self, now: float) -> None:
        """Make the next percent true and note it. Raises FlipFailed."""
        percent = self._schedule[self._step % len(self._schedule)]
        began = time.perf_counter()
        version = self._hook(percent)
        took = round((time.perf_counter() - began) * 1000, 1)
        record_flip(self._folder, self._capability, percent, version, took)
        self._step += 1
        self.done += 1
        self.longest_ms = max(self.longest_ms, took)
        self.due = now + self._every

    def as_json(self) -> dict[str, Any]:
        return {"flips": self.done, "longest_flip_ms": self.longest_ms}
