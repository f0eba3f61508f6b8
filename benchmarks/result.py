"""What a benchmark measured: one shape, one folder, one table for all of them."""

from __future__ import annotations

import datetime
import functools
import json
import os
import platform
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal

import psutil
from rich.console import Console
from rich.table import Table

RESULTS = Path(__file__).parent / "results"


@functools.cache
def machine() -> str:
    """Cores, processor model and memory of this machine; nothing that names it."""
    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        names = [line.partition(":")[2].strip() for line in cpuinfo.read_text().splitlines() if "model name" in line]
        model = names[0] if names else model
    return f"{os.cpu_count()} cores, {model}, {psutil.virtual_memory().total / 2**30:.0f} GiB"


@dataclass(frozen=True)
class Rounds:
    """One figure measured several times in the same run."""

    values: Sequence[float]

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    @property
    def low(self) -> float:
        return min(self.values)

    @property
    def high(self) -> float:
        return max(self.values)


@dataclass(frozen=True)
class Result:
    """One measured figure. ``value`` and ``peer_value`` are medians over the rounds of one run, in ``unit``.

    ``target`` is held against ``ratio`` (value / peer_value) or ``value``; without one the figure is only reported and
    ``met`` is None.
    """

    name: str
    value: float
    unit: str
    better: Literal["higher", "lower"]
    peer: str | None = None
    peer_value: float | None = None
    ratio: float | None = None
    target: float | None = None
    met: bool | None = None
    spread: tuple[float, float] | None = None
    peer_spread: tuple[float, float] | None = None
    rounds: int = 1
    machine: str = field(default_factory=machine)
    date: str = field(default_factory=lambda: datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"))


def measured(
    name: str,
    values: Sequence[float],
    unit: str,
    better: Literal["higher", "lower"],
    *,
    peer: str | None = None,
    peer_values: Sequence[float] | None = None,
    target: float | None = None,
    against: Literal["ratio", "value"] = "value",
) -> Result:
    """A Result from the values of several rounds (one value: a single round): medians, spread, ratio, whether met.

    Raises ValueError for no values, or a target against a ratio without a peer.
    """
    if not values:
        raise ValueError(f"{name}: no round was measured")
    mine = Rounds(values)
    theirs = Rounds(peer_values) if peer_values else None
    ratio = mine.median / theirs.median if theirs and theirs.median else None
    held = ratio if against == "ratio" else mine.median
    if target is not None and held is None:
        raise ValueError(f"{name}: a target against a ratio needs the peer's values")
    met = None
    if target is not None and held is not None:
        met = held >= target if better == "higher" else held <= target
    return Result(
        name=name,
        value=_rounded(mine.median),
        unit=unit,
        better=better,
        peer=peer,
        peer_value=_rounded(theirs.median) if theirs else None,
        ratio=round(ratio, 3) if ratio is not None else None,
        target=target,
        met=met,
        spread=(_rounded(mine.low), _rounded(mine.high)),
        peer_spread=(_rounded(theirs.low), _rounded(theirs.high)) if theirs else None,
        rounds=len(values),
    )


def report(name: str, results: Sequence[Result], *, folder: Path = RESULTS, console: Console | None = None) -> bool:
    """Print the table and write ``folder/NAME.json`` (a list of objects). True when no target was missed."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.json").write_text(json.dumps([asdict(result) for result in results], indent=2) + "\n")
    screen = console or Console()
    screen.print(table(name, results))
    screen.print(f"{machine()}; medians, lowest to highest of the rounds in brackets", style="dim", highlight=False)
    return all(result.met is not False for result in results)


def table(title: str, results: Sequence[Result]) -> Table:
    view = Table(title=title, title_justify="left")
    for heading in ("what", "value", "peer", "ratio", "target", "met"):
        view.add_column(heading, justify="left" if heading in ("what", "peer") else "right", overflow="fold")
    for result in results:
        peer = ""
        if result.peer and result.peer_value is not None:
            peer = f"{result.peer}: {_figure(result.peer_value, result.peer_spread)}"
        view.add_row(
            result.name,
            f"{_figure(result.value, result.spread)} {result.unit}",
            peer,
            "" if result.ratio is None else f"{result.ratio:.2f}",
            "" if result.target is None else f"{'≥' if result.better == 'higher' else '≤'} {result.target:,g}",
            {True: "yes", False: "NO", None: ""}[result.met],
        )
    return view


def _rounded(value: float) -> float:
    return round(value, 1) if abs(value) >= 1000 else float(f"{value:.4g}")


def _figure(value: float, spread: tuple[float, float] | None) -> str:
    text = f"{value:,.0f}" if abs(value) >= 1000 else f"{value:,g}"
    if spread and spread[0] != spread[1]:
        low, high = (f"{v:,.0f}" if abs(v) >= 1000 else f"{v:,g}" for v in spread)
        text += f" ({low}-{high})"
    return text
