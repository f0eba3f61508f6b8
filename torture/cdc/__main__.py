"""Kill -9, again and again; every table has to end equal: ``python -m torture.cdc [--rounds N] [--seed N]``.

Rounds are shared out among MySQL to MySQL, MariaDB to MariaDB and MySQL to MariaDB. In each, one of worker (with the
engine in it), source and target server is killed at a random moment under three live writers: while it starts, while it
catches up, while it streams. After every tenth round, and at the end, the writers rest and every row is compared.
"""

from __future__ import annotations

import argparse
import json
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from torture.cdc.arena import Arena, Kind, NotEqual, Victim

PAIRS: tuple[tuple[Kind, Kind], ...] = (("mysql", "mysql"), ("mariadb", "mariadb"), ("mysql", "mariadb"))
VICTIMS: tuple[Victim, ...] = ("worker", "worker", "worker", "source", "target")
COMPARE_EVERY = 10


@dataclass
class Outcome:
    """One pair of servers."""

    pair: str
    kills: Counter[str] = field(default_factory=Counter)
    comparisons: int = 0
    transactions: int = 0
    events: int = 0
    rows: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0
    trouble: str | None = None


def torture(kinds: tuple[Kind, Kind], rounds: int, seed: int, folder: Path, tick: Progress, task: int) -> Outcome:
    """Never raises for what the stream did: that is in ``trouble``."""
    outcome, dice, began = Outcome(" to ".join(kinds)), random.Random(seed), time.monotonic()
    try:
        with Arena(folder, kinds, seed) as arena:
            arena.until_moving()
            for number in range(1, rounds + 1):
                victim = dice.choice(VICTIMS)
                if dice.random() < 0.3:
                    time.sleep(dice.uniform(0.0, 3.0))  # whatever it is doing, often its start
                else:
                    arena.until_moving()
                    time.sleep(dice.uniform(0.0, 0.5))
                arena.kill(victim)
                outcome.kills[victim] += 1
                if number % COMPARE_EVERY == 0 or number == rounds:
                    outcome.rows = arena.compare()
                    outcome.comparisons += 1
                tick.advance(task)  # type: ignore[arg-type]
            outcome.transactions = sum(writer.transactions for writer in arena.writers)
            outcome.events = arena.desk.status().events
    except (NotEqual, RuntimeError) as error:
        outcome.trouble = str(error)
    outcome.seconds = time.monotonic() - began
    return outcome


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m torture.cdc", description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=60, help="kills in all (default 60)")
    parser.add_argument("--seed", type=int, default=20261124)
    parser.add_argument("--servers", choices=[":".join(pair) for pair in PAIRS], help="only this pair")
    parser.add_argument("--out", type=Path, default=Path("torture/results/cdc.json"))
    asked = parser.parse_args()
    # servers were started: whoever ends this run by a signal wants them ended too
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    pairs = [pair for pair in PAIRS if asked.servers in (None, ":".join(pair))]
    console, outcomes = Console(), []
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with (
        tempfile.TemporaryDirectory(prefix="strangler-torture-", ignore_cleanup_errors=True) as folder,
        Progress(*columns, TimeRemainingColumn(), console=console, disable=not console.is_terminal) as progress,
    ):
        for number, kinds in enumerate(pairs):
            rounds = asked.rounds // len(pairs) + (number < asked.rounds % len(pairs))
            task = progress.add_task(" to ".join(kinds), total=rounds)
            outcomes.append(torture(kinds, rounds, asked.seed + number, Path(folder) / str(number), progress, task))
            if outcomes[-1].trouble:
                log = Path(folder) / str(number) / "worker.log"
                console.print(f"{outcomes[-1].pair}: {outcomes[-1].trouble}", markup=False)
                console.print("\n".join(log.read_text().splitlines()[-15:]) if log.exists() else "", markup=False)
    console.print(_table(outcomes))
    asked.out.parent.mkdir(parents=True, exist_ok=True)
    asked.out.write_text(json.dumps([vars(outcome) for outcome in outcomes], indent=2) + "\n")
    return 1 if any(outcome.trouble for outcome in outcomes) else 0


def _table(outcomes: list[Outcome]) -> Table:
    table = Table(
        "servers", "killed: worker", "source", "target", "comparisons", "transactions", "events", "rows", "end"
    )
    for one in outcomes:
        counts = [str(one.kills[victim]) for victim in ("worker", "source", "target")]
        work = [f"{one.transactions:,}", f"{one.events:,}", f"{sum(one.rows.values()):,}"]
        table.add_row(one.pair, *counts, str(one.comparisons), *work, "equal" if not one.trouble else "NOT equal")
    return table


if __name__ == "__main__":
    sys.exit(main())
