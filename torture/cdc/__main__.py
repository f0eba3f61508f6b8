"""Kill -9, again and again; every table has to end equal: ``python -m torture.cdc [--rounds N] [--seed N]``.

Rounds are shared out among MySQL to MySQL, MariaDB to MariaDB and MySQL to MariaDB, embedded, and the first two over
Kafka. In each, one of worker (embedded: with the engine in it), source and target server, broker and Connect is killed
at a random moment under three live writers: while it starts, while it catches up, while it streams. After every tenth
round, and at the end, the writers rest and every row is compared.
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

from torture.cdc.arena import Arena, Hosted, Kind, NotEqual, Victim

RUNS: tuple[tuple[Hosted, Kind, Kind], ...] = (
    ("embedded", "mysql", "mysql"),
    ("embedded", "mariadb", "mariadb"),
    ("embedded", "mysql", "mariadb"),
    ("kafka", "mysql", "mysql"),
    ("kafka", "mariadb", "mariadb"),
)
VICTIMS: dict[Hosted, tuple[Victim, ...]] = {
    "embedded": ("worker", "worker", "worker", "source", "target"),
    "kafka": ("worker", "worker", "source", "target", "broker", "connect"),
}
COMPARE_EVERY = 10


@dataclass
class Outcome:
    """One pair of servers in one hosting."""

    pair: str
    hosting: str
    kills: Counter[str] = field(default_factory=Counter)
    comparisons: int = 0
    transactions: int = 0
    events: int = 0
    rows: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0
    trouble: str | None = None


def torture(
    hosting: Hosted, kinds: tuple[Kind, Kind], rounds: int, seed: int, folder: Path, tick: Progress, task: int
) -> Outcome:
    """Never raises for what the stream did: that is in ``trouble``."""
    outcome, dice, began = Outcome(" to ".join(kinds), hosting), random.Random(seed), time.monotonic()
    try:
        with Arena(folder, kinds, seed, hosting) as arena:
            arena.until_moving()
            for number in range(1, rounds + 1):
                victim = dice.choice(VICTIMS[hosting])
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
    parser.add_argument("--servers", choices=sorted({f"{a}:{b}" for _, a, b in RUNS}), help="only this pair")
    parser.add_argument("--hosting", choices=list(VICTIMS), help="only this one")
    parser.add_argument("--out", type=Path, default=Path("torture/results/cdc.json"))
    asked = parser.parse_args()
    # servers were started: whoever ends this run by a signal wants them ended too
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    runs = [one for one in RUNS if asked.servers in (None, f"{one[1]}:{one[2]}") and asked.hosting in (None, one[0])]
    console, outcomes = Console(), []
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with (
        tempfile.TemporaryDirectory(prefix="strangler-torture-", ignore_cleanup_errors=True) as folder,
        Progress(*columns, TimeRemainingColumn(), console=console, disable=not console.is_terminal) as progress,
    ):
        for number, (hosting, *kinds) in enumerate(runs):
            rounds = asked.rounds // len(runs) + (number < asked.rounds % len(runs))
            task = progress.add_task(f"{' to '.join(kinds)}, {hosting}", total=rounds)
            place = Path(folder) / str(number)
            outcomes.append(torture(hosting, (kinds[0], kinds[1]), rounds, asked.seed + number, place, progress, task))
            if outcomes[-1].trouble:
                log = Path(folder) / str(number) / "worker.log"
                console.print(f"{outcomes[-1].pair}, {hosting}: {outcomes[-1].trouble}", markup=False)
                console.print("\n".join(log.read_text().splitlines()[-15:]) if log.exists() else "", markup=False)
    console.print(_table(outcomes))
    asked.out.parent.mkdir(parents=True, exist_ok=True)
    asked.out.write_text(json.dumps([vars(outcome) for outcome in outcomes], indent=2) + "\n")
    return 1 if any(outcome.trouble for outcome in outcomes) else 0


def _table(outcomes: list[Outcome]) -> Table:
    table = Table(
        "servers",
        "hosting",
        *("killed: worker", "source", "target", "broker", "connect"),
        *("comparisons", "transactions", "events", "rows", "end"),
    )
    for one in outcomes:
        counts = [str(one.kills[victim]) for victim in ("worker", "source", "target", "broker", "connect")]
        work = [f"{one.transactions:,}", f"{one.events:,}", f"{sum(one.rows.values()):,}"]
        table.add_row(
            one.pair, one.hosting, *counts, str(one.comparisons), *work, "equal" if not one.trouble else "NOT equal"
        )
    return table


if __name__ == "__main__":
    sys.exit(main())
