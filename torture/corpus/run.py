"""All cases over one pair of servers: refused at the start, or copied, streamed and compared."""

from __future__ import annotations

import re
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any

import pymysql

from cdc.apply.plan import PlanError, read_plan
from cdc.database import Database
from cdc.mapping import CapabilityMapping
from cdc.mapping_check import check_capability
from cdc.quarantine import Bounds
from cdc.server import source_position
from cdc.session import open_session
from cdc.source.hosting import Hosting
from cdc.state import StreamDesk, StreamState, await_position
from cdc.stream import StreamSpec, run
from cdc.verify.capability import verify_capability
from cdc.verify.errors import VerifyError
from torture.corpus.case import EQUAL, NO_TYPE, REFUSED, Case, Pair
from torture.corpus.trial import ANYTHING, Trial, write
from torture.corpus.verdict import Verdict

PATIENCE_SECONDS = 240.0
_TABLE = re.compile(r"\bt\d{3}\b")


class Stopped(Exception):
    """The stream stopped; the text says why."""


@dataclass(frozen=True)
class Bench:
    """Two schemas of our own, and what a stream between them needs. ``hosting`` makes that of a run, by its name."""

    pair: Pair
    source: Database
    target: Database
    hosting: Callable[[str], Hosting]


def try_all(bench: Bench, cases: Sequence[Case], drawn: int = 0) -> list[Verdict]:
    """A verdict for each case, in order. ``drawn`` values are drawn for each type besides its boundaries."""
    verdicts: dict[int, Verdict] = {}
    trials = dict[int, Trial]()
    for number, case in enumerate(cases):
        if bench.pair[0] in case.on:
            trials[number] = Trial(case, bench.pair, number, drawn)
        else:
            verdicts[number] = Verdict.of_all(case, bench.pair, NO_TYPE)
    for trial, said in _prepare(bench, list(trials.values())).items():
        verdicts[trial.number] = Verdict.of_all(trial.case, bench.pair, f"the case is broken: {said}")
        del trials[trial.number]
    for trial, said in _refused(bench, list(trials.values())).items():
        verdicts[trial.number] = Verdict.of_all(trial.case, bench.pair, REFUSED, said)
        del trials[trial.number]
        for side in (bench.source, bench.target):  # a column may end the engine for all
            execute(side, f"DROP TABLE {trial.name}")
    for verdict in _in_groups(bench, list(trials.values()), "all"):
        verdicts[cases.index(verdict.case)] = verdict
    return [verdicts[number] for number in range(len(cases))]


def _prepare(bench: Bench, trials: Sequence[Trial]) -> dict[Trial, str]:
    """Make the tables and the rows that a copy will find. Gives the trials that a server does not take, and why."""
    broken = {}
    with closing(open_session(bench.source)) as source, closing(open_session(bench.target)) as target:
        for trial in trials:
            try:
                for session, kind in ((source, bench.pair[0]), (target, bench.pair[1])):
                    with session.cursor() as cursor:
                        cursor.execute(ANYTHING)
                        cursor.execute(trial.create(kind, source=session is source))
                write(bench.source, [trial], Trial.before, logged=False)
            except pymysql.MySQLError as error:
                broken[trial] = str(error.args[-1])
    return broken


def _refused(bench: Bench, trials: Sequence[Trial]) -> dict[Trial, str]:
    """What is said of which trials before a stream begins: by the check of the mapping, and by the stream itself."""
    mapping = CapabilityMapping("corpus", tuple(trial.mapping for trial in trials))
    said: dict[str, list[str]] = defaultdict(list)
    for problem in check_capability(mapping, bench.source, bench.target):
        if problem.severity == "error":
            said[problem.table].append(str(problem))
    with closing(open_session(bench.source)) as source, closing(open_session(bench.target)) as target:
        try:
            read_plan(mapping, source, target)
        except PlanError as error:
            for text in error.problems:
                said[_TABLE.findall(text)[0]].append(text)
    return {trial: said[trial.name][0] for trial in trials if trial.name in said}


def _in_groups(bench: Bench, trials: list[Trial], name: str) -> list[Verdict]:
    """All in one stream; where it stops, in two halves, down to the case that stops it."""
    if not trials:
        return []
    try:
        return _stream(bench, trials, name)
    except Stopped as error:
        if len(trials) == 1:
            return [Verdict.of_all(trials[0].case, bench.pair, str(error))]
        for trial in trials:  # as they were
            execute(bench.source, f"DELETE FROM {trial.name}")
            execute(bench.target, f"DELETE FROM {trial.name}")
            write(bench.source, [trial], Trial.before, logged=False)
        half = len(trials) // 2
        return [*_in_groups(bench, trials[:half], name + "a"), *_in_groups(bench, trials[half:], name + "b")]


def _stream(bench: Bench, trials: list[Trial], name: str) -> list[Verdict]:
    capability = f"corpus_{bench.target.schema}_{name}"  # the target's server keeps its state under this name
    mapping = CapabilityMapping(capability, tuple(trial.mapping for trial in trials))
    spec = StreamSpec(mapping, bench.source, bench.target, bench.hosting(name), quarantine=Bounds(100_000, 100_000))
    desk = StreamDesk(bench.target, capability)
    desk.create()
    desk.want("running")
    with _worker(spec):
        _until(desk, lambda: desk.status().state is StreamState.STREAMING)
        copied = _differences(bench, trials)
        write(bench.source, trials, Trial.meanwhile)
        position = source_position(bench.source)
        _until(desk, lambda: await_position(desk, position, 1.0))
        streamed = _differences(bench, trials)
    verified = _verified(bench, trials)
    return [
        Verdict(t.case, bench.pair, copied[t][0], streamed[t][0], verified[t], rows=copied[t][1] + streamed[t][1])
        for t in trials
    ]


@contextmanager
def _worker(spec: StreamSpec) -> Iterator[None]:
    stop = threading.Event()
    thread = threading.Thread(target=run, args=(spec, stop), daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(60)


def _until(desk: StreamDesk, holds: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        status = desk.status()
        if status.state is StreamState.STOPPED:
            raise Stopped(f"stopped: {status.error.message if status.error else '?'}")
        if time.monotonic() > end:
            raise Stopped(f"stuck: {status}")
        time.sleep(0.05)


def _differences(bench: Bench, trials: Sequence[Trial]) -> dict[Trial, tuple[str, int]]:
    """``equal`` or the first rows that differ; how many rows the source has."""
    found = {}
    with closing(open_session(bench.source)) as source, closing(open_session(bench.target)) as target:
        for trial in trials:
            old, new = trial.rows(source), trial.rows(target)
            only_old = [_short(row) for row in old if row not in new][:3]
            only_new = [_short(row) for row in new if row not in old][:3]
            word = EQUAL if old == new else f"different: only source {only_old}, only target {only_new}"
            found[trial] = (word if old else "no rows", len(old))
    return found


def _short(row: tuple[Any, ...]) -> str:
    return " ".join(str(cell)[:80] for cell in row)


def _verified(bench: Bench, trials: Sequence[Trial]) -> dict[Trial, str]:
    """What our own verifier says."""
    mapping = CapabilityMapping("corpus", tuple(trial.mapping for trial in trials))
    try:
        result = verify_capability(mapping, bench.source, bench.target)
    except VerifyError as error:
        if len(trials) == 1:
            return {trials[0]: f"not comparable: {error}"}
        half = len(trials) // 2
        return _verified(bench, trials[:half]) | _verified(bench, trials[half:])
    return {
        trial: EQUAL
        if not (table.missing_total or table.extra_total or table.differing_total or table.unsettled)
        else f"different: {table.missing_total} missing, {table.extra_total} extra, {str(table.differing[:2])[:300]}"
        for trial, table in zip(trials, result.tables, strict=True)
    }


def execute(database: Database, *statements: str) -> None:
    """In one transaction."""
    with closing(open_session(database)) as session, session.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
        session.commit()
