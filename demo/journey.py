"""The journey: catalog goes out by percent, comes back with one command, and goes out again, under live traffic."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from demo.command import DemoFailed, Terminal
from demo.load import Customers

CAPABILITY = "catalog"
LOOK_SECONDS = 3.0  # how long each percent is watched, at least; longer until there are enough responses to speak of
ENOUGH_RESPONSES = 60
GATE_SECONDS = 60.0  # so long the gate may take to have seen enough traffic


@dataclass
class Seen:
    """What the journey measured on its way, for the table at the end."""

    flips_ms: list[float] = field(default_factory=list)
    lags_seconds: list[float] = field(default_factory=list)
    versions: list[int] = field(default_factory=list)
    phases: list[str] = field(default_factory=list)


@dataclass
class Journey:
    """The steps in their order. Each raises DemoFailed where reality differs from what the step promises."""

    terminal: Terminal
    customers: Customers
    seen: Seen = field(default_factory=Seen)

    def go(self) -> None:
        self.terminal.note("the data first: copy catalog's rows and follow the binlog, while customers buy")
        self.move("synced", "start following the monolith's data")
        self.out("first customers on the new catalog", 10, (40, 70))
        self.terminal.note("something looks odd: everybody back, one command, no questions asked")
        self.back()
        self.terminal.note("it was a false alarm: out again")
        self.out("second try, all clear", 50, ())
        self.look()

    def out(self, reason: str, first: int, then: tuple[int, ...]) -> None:
        """Canary by percent, then all reads."""
        self.move("canary", reason, percent=first)
        self.look()
        for percent in then:
            self.flag(percent, f"{reason}: errors level, going on")
            self.look()
        self.until_allowed()
        self.move("reads", f"{reason}: all reads", percent=None)
        self.customers.saw(CAPABILITY, 100, self.seen.versions[-1])
        self.look()

    def until_allowed(self) -> None:
        """Until the next phase's gate has what it asks for. If it never has, the move says what is missing."""
        begun = time.monotonic()
        for _ in every(1.0, until=lambda: time.monotonic() - begun > GATE_SECONDS):
            (found,) = self.terminal.quiet(f"status {CAPABILITY}")["capabilities"]
            if found["next"]["allowed"]:
                return

    def back(self) -> None:
        result = self.terminal.strangler(
            f'rollback {CAPABILITY} --reason "page times look odd, back first, ask later"', self.say_move
        )
        self.note_flip(result)
        self.customers.saw(CAPABILITY, 0, self.seen.versions[-1])
        self.look()

    def move(self, phase: str, reason: str, percent: int | None = None) -> None:
        some = f" --percent {percent}" if percent is not None else ""
        result = self.terminal.strangler(f'advance {CAPABILITY} --to {phase}{some} --reason "{reason}"', self.say_move)
        if result.get("to") != phase or not result.get("done"):
            raise DemoFailed(f"{CAPABILITY} did not arrive at {phase}", str(result))
        self.seen.phases.append(phase)
        self.note_flip(result)
        if percent is not None:
            self.customers.saw(CAPABILITY, percent, self.seen.versions[-1])

    def flag(self, percent: int, reason: str) -> None:
        result = self.terminal.strangler(
            f'flag set {CAPABILITY} --percent {percent} --reason "{reason}"',
            lambda r: f"version {r['version']}, applied by {applied(r)} in {r['ms_to_applied']:.1f} ms",
        )
        self.note_flip(result)
        self.customers.saw(CAPABILITY, percent, self.seen.versions[-1])

    def note_flip(self, result: dict[str, Any]) -> None:
        if result.get("version") is not None:
            self.seen.versions.append(int(result["version"]))
        if result.get("ms_to_applied") is not None:
            self.seen.flips_ms.append(float(result["ms_to_applied"]))

    def say_move(self, result: dict[str, Any]) -> str:
        line = f"{CAPABILITY}: {result['from']} -> {result['to']}"
        if result.get("version") is not None and result.get("ms_to_applied") is not None:
            line += f", version {result['version']} applied by {applied(result)} in {result['ms_to_applied']:.1f} ms"
        return line

    def look(self) -> None:
        """Watch for a while, until there are enough responses to speak of; remember the lag."""
        begun, had = time.monotonic(), self.customers.responses()
        for _ in every(1.0, until=lambda: time.monotonic() - begun > LOOK_SECONDS * 5):
            self.remember_lag()
            enough = self.customers.responses() - had >= ENOUGH_RESPONSES
            if enough and time.monotonic() - begun >= LOOK_SECONDS:
                return

    def remember_lag(self) -> None:
        for stream in self.terminal.quiet("sync status").get("streams", []):
            if stream.get("lag_seconds") is not None:
                self.seen.lags_seconds.append(float(stream["lag_seconds"]))


def every(seconds: float, until: Callable[[], bool]) -> Iterator[None]:
    while not until():
        yield
        time.sleep(seconds)


def applied(result: dict[str, Any]) -> str:
    proxies = result.get("proxies", [])
    done = sum(1 for proxy in proxies if proxy.get("applied") == result.get("version"))
    return f"{done} of {len(proxies)} {'proxy' if len(proxies) == 1 else 'proxies'}"
