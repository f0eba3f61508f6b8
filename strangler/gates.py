"""Gates: whether the evidence allows entering a phase. Pure: values in, reasons out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from strangler.config.model import Gate
from strangler.evidence import Evidence, Kind, Traffic

STREAMING = "streaming"


class Verdict(StrEnum):
    PASS = "pass"
    REFUSED = "refused"  # the evidence speaks against it
    NOT_ENOUGH = "not enough"  # there is none, or too little, or it is too old


@dataclass(frozen=True)
class Check:
    """One line of a gate's answer. ``fix`` is a command that brings what is missing, or empty."""

    name: str
    verdict: Verdict
    text: str
    fix: str = ""

    @property
    def passed(self) -> bool:
        return self.verdict is Verdict.PASS

    def __str__(self) -> str:
        return f"{self.name}: {self.text}"


@dataclass(frozen=True)
class Observation:
    """What is known of one capability at one moment. ``stream`` is None for a capability without tables.

    ``traffic``: per side, since the capability entered its phase; None when no proxy could be asked.
    """

    capability: str
    now: datetime
    stream: str | None = None
    lag_seconds: float | None = None
    quarantined: int = 0
    quarantined_first: tuple[str, ...] = ()
    legacy: Traffic | None = None
    new: Traffic | None = None
    verify: Evidence | None = None
    contract: Evidence | None = None
    load: Evidence | None = None


def evaluate(gate: Gate, seen: Observation) -> list[Check]:
    """Every check that applies, in the order people read them. All must pass.

    A capability with tables must always be streaming, have nothing in quarantine, and no known difference; the gate's
    thresholds come on top.
    """
    return [*_data(gate, seen), *_dated(gate, seen), *_traffic(gate, seen)]


def allowed(checks: list[Check]) -> bool:
    return all(check.passed for check in checks)


def reasons(checks: list[Check]) -> list[str]:
    """The sentences of the checks that didn't pass."""
    return [str(check) for check in checks if not check.passed]


def _data(gate: Gate, seen: Observation) -> Iterator[Check]:
    if seen.stream is None:
        return
    if seen.stream != STREAMING:
        yield Check(
            "stream", Verdict.REFUSED, f"it is {seen.stream}, not streaming", "strangler sync status " + seen.capability
        )
    yield from _lag(gate, seen)
    if seen.quarantined:
        text = in_quarantine(seen.quarantined, seen.quarantined_first)
        yield Check("quarantine", Verdict.REFUSED, text, f"strangler quarantine list {seen.capability}")


def _lag(gate: Gate, seen: Observation) -> Iterator[Check]:
    limit, lag = gate.max_lag_seconds, seen.lag_seconds
    if limit is None:
        return
    if lag is None:
        yield Check("lag", Verdict.NOT_ENOUGH, "not measured yet: no marker has come through the stream")
    elif lag > limit:
        yield Check("lag", Verdict.REFUSED, f"rows on new are {duration(lag)} old, the gate allows {duration(limit)}")
    else:
        yield Check("lag", Verdict.PASS, f"{duration(lag)}, the gate allows {duration(limit)}")


def _dated(gate: Gate, seen: Observation) -> Iterator[Check]:
    name = seen.capability
    if seen.stream is not None:
        fix = f"strangler verify {name}"
        yield from _result("parity", seen.verify, gate.verified_within_minutes, seen.now, fix, "compared")
    yield from _result(
        "contract", seen.contract, gate.contract_within_minutes, seen.now, f"strangler contracts run {name}", "run"
    )
    yield from _result("load", seen.load, gate.load_within_minutes, seen.now, "strangler load run shop", "run")


def _result(
    name: str, evidence: Evidence | None, within: float | None, now: datetime, fix: str, verb: str
) -> Iterator[Check]:
    """A result that went wrong counts against it even where the gate doesn't ask for one."""
    if evidence is None:
        if within is not None:
            yield Check(name, Verdict.NOT_ENOUGH, f"never {verb}", fix)
        return
    when = evidence.at.astimezone().strftime("%H:%M")
    if not evidence.ok:
        yield Check(name, Verdict.REFUSED, f"{evidence.summary}, {when}", _repair(evidence) or fix)
    elif within is not None and evidence.age(now).total_seconds() > within * 60:
        age = duration(evidence.age(now).total_seconds())
        text = f"not fresh enough: {verb} {age} ago, the gate asks for {within:g} minutes ({evidence.summary})"
        yield Check(name, Verdict.NOT_ENOUGH, text, fix)
    elif within is not None:
        yield Check(name, Verdict.PASS, f"fresh enough ({when}), {evidence.summary}")


def _repair(evidence: Evidence) -> str:
    if evidence.kind is not Kind.VERIFY:
        return ""
    tables = [t["table"] for t in evidence.data.get("tables", ()) if t.get("different")]
    table = f" --table {tables[0]}" if len(tables) == 1 else ""
    return f"strangler verify {evidence.capability}{table} --repair"


def _traffic(gate: Gate, seen: Observation) -> Iterator[Check]:
    if gate.min_requests_new is None and gate.max_error_percent_above_legacy is None:
        return
    if seen.new is None or seen.legacy is None:
        yield Check("traffic", Verdict.NOT_ENOUGH, "no proxy could be asked what it counted", "strangler ps")
        return
    asked = gate.min_requests_new or 1
    if seen.new.requests < asked:
        text = f"not enough: new has answered {seen.new.requests:,} requests, the gate asks for {asked:,}"
        yield Check("traffic", Verdict.NOT_ENOUGH, text, f"strangler flag set {seen.capability} --percent ...")
        return
    yield Check(
        "traffic", Verdict.PASS, f"new has answered {seen.new.requests:,} requests, the gate asks for {asked:,}"
    )
    above = gate.max_error_percent_above_legacy
    if above is None:
        return
    new, legacy = seen.new.error_percent, seen.legacy.error_percent
    text = f"{new:.2g} % on new, {legacy:.2g} % on legacy, the gate allows {above:g} % more"
    yield Check("errors", Verdict.PASS if new <= legacy + above else Verdict.REFUSED, text)


def in_quarantine(keys: int, first: Sequence[str]) -> str:
    """``2 keys wait in quarantine: items id=7, items id=9``."""
    more = ", ..." if keys > len(first) else ""
    named = f": {', '.join(first)}{more}" if first else ""
    return f"{keys:,} {'key waits' if keys == 1 else 'keys wait'} in quarantine{named}"


def duration(seconds: float) -> str:
    """``34 ms``, ``4.1 s``, ``12 min``, ``3 h``, ``2 d``."""
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 120:
        return f"{seconds:.0f} s"
    if seconds < 2 * 3600:
        return f"{seconds / 60:.0f} min"
    if seconds < 48 * 3600:
        return f"{seconds / 3600:.0f} h"
    return f"{seconds / 86400:.0f} d"
