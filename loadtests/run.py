"""``python -m loadtests.run SCENARIO --host http://127.0.0.1:PORT --users N --seconds S --out DIR``: one load run.

``shop`` is steady traffic; ``flip`` is the same while ``--hook`` is called every few seconds to change the percent.
locust runs in a process of its own; SIGINT and SIGTERM end the run early and cleanly: shoppers finish what they are
doing, the books are closed, and ``DIR/result.json`` is written as after a full run.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from loadtests import ledger, responses, stickiness, writes
from loadtests.hook import SCHEDULE, FlipFailed, FlipHook, Flipping, command_hook, parse_schedule
from loadtests.loopback import NotLoopback, loopback
from loadtests.owner import OwnerUnreachable
from loadtests.summary import summarise

SCENARIOS = {"shop": "steady traffic of shoppers", "flip": "the same while flags change (--hook)"}
MOST_USERS = 500
MOST_SECONDS = 3600
STOP_SECONDS = 20
LOG = "traffic.log"
RESULT = "result.json"


class LoadError(Exception):
    """The run can't be made as asked for; the text says why."""


@dataclass(frozen=True)
class Plan:
    """One run. ``wait_seconds``: mean pause between two actions of a shopper. ``hook`` is for ``flip`` only."""

    scenario: str
    host: str
    users: int
    seconds: float
    out: Path
    wait_seconds: float = 0.5
    seed: int = 1
    hook: FlipHook | None = None
    hook_every_seconds: float = 5.0
    capability: str = "catalog"
    schedule: tuple[float, ...] = SCHEDULE
    ledger_db: str | None = None
    ledger_gateway: str | None = None


def run_load(plan: Plan, stop: threading.Event | None = None) -> dict[str, Any]:
    """Blocks until the run is over or ``stop`` is set; returns what is in ``result.json``. Raises LoadError."""
    _check(plan)
    plan.out.mkdir(parents=True, exist_ok=True)
    if any((plan.out / name).exists() for name in (responses.FILE, writes.FILE)):
        raise LoadError(f"{plan.out} holds the records of another run: give another --out, or remove it")
    stop = stop or threading.Event()
    flipping = None
    failed = None
    began = time.monotonic()
    with (plan.out / LOG).open("wb") as log:
        process = _start(plan, log)
        try:
            if plan.hook is not None:
                flipping = Flipping(plan.hook, plan.hook_every_seconds, plan.out, plan.capability, began, plan.schedule)
            failed = _watch(process, stop, flipping)
        finally:
            _end(process)
    seconds = time.monotonic() - began
    result = _result(plan, seconds, process.returncode, flipping, failed)
    (plan.out / RESULT).write_text(json.dumps(result, indent=1) + "\n")
    return result


def _check(plan: Plan) -> None:
    if plan.scenario not in SCENARIOS:
        raise LoadError(f"no scenario is called {plan.scenario!r}; there are: {', '.join(SCENARIOS)}")
    if not 1 <= plan.users <= MOST_USERS:
        raise LoadError(f"--users must be from 1 to {MOST_USERS}, not {plan.users}")
    if not 1 <= plan.seconds <= MOST_SECONDS:
        raise LoadError(f"--seconds must be from 1 to {MOST_SECONDS}, not {plan.seconds:g}")
    if plan.wait_seconds < 0.01:
        raise LoadError(f"--wait must be 0.01 seconds or more, not {plan.wait_seconds:g}")
    if (plan.hook is not None) != (plan.scenario == "flip"):
        raise LoadError("the scenario flip needs --hook, and only it takes one")
    loopback(plan.host)


def _start(plan: Plan, log: Any) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "locust", "-f", str(Path(__file__).with_name("shop.py")), "--headless"]
    command += ["--host", loopback(plan.host), "--users", str(plan.users), "--spawn-rate", str(max(10, plan.users))]
    command += ["--run-time", f"{round(plan.seconds)}s", "--stop-timeout", str(STOP_SECONDS)]
    command += ["--only-summary", "--exit-code-on-error", "0", "--loglevel", "INFO"]
    settings = {"LOAD_OUT": str(plan.out), "LOAD_SEED": str(plan.seed), "LOAD_WAIT": str(plan.wait_seconds)}
    root = str(Path(__file__).resolve().parent.parent)
    path = os.pathsep.join(part for part in (root, os.environ.get("PYTHONPATH", "")) if part)
    # A session of its own: Ctrl-C on the terminal reaches this process, which ends locust in order.
    return subprocess.Popen(
        command, stdout=log, stderr=log, env={**os.environ, **settings, "PYTHONPATH": path}, start_new_session=True
    )


def _watch(process: subprocess.Popen[bytes], stop: threading.Event, flipping: Flipping | None) -> str | None:
    """Until locust is done or ``stop`` is set. Returns why a flip failed, which ends the run."""
    while process.poll() is None and not stop.is_set():
        now = time.monotonic()
        if flipping is not None and now >= flipping.due:
            try:
                flipping.flip(now)
            except FlipFailed as error:
                return str(error)
        stop.wait(0.1)
    return None


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(STOP_SECONDS + 10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _result(
    plan: Plan, seconds: float, exit_status: int, flipping: Flipping | None, failed: str | None
) -> dict[str, Any]:
    if exit_status != 0 or not (plan.out / responses.FILE).exists():
        tail = "\n".join((plan.out / LOG).read_text(errors="replace").splitlines()[-12:])
        raise LoadError(f"locust ended with exit status {exit_status}; the end of {plan.out / LOG}:\n{tail}")
    summary = summarise(responses.read(plan.out))
    noted = list(writes.read(plan.out))
    acknowledged = sum(write.acknowledged for write in noted)
    result: dict[str, Any] = {
        "scenario": plan.scenario,
        **summary.as_json(),
        "seconds": round(seconds, 1),
        "requests_per_second": round(summary.requests / seconds, 1),
        "acknowledged": acknowledged,
        "uncertain": len(noted) - acknowledged,
        "lost": None,
        "doubled": None,
    }
    if flipping is not None:
        result.update(flipping.as_json(), flip_failed=failed, stickiness=stickiness.check(plan.out).as_json())
    if plan.ledger_db:
        found = ledger.check(plan.out, plan.ledger_db, plan.ledger_gateway)
        result.update(found.as_json())
    return result


def held(result: dict[str, Any]) -> bool:
    """Whether a result is what it has to be: traffic flowed, no errors, nothing lost or doubled, everybody stayed."""
    sticky = result.get("stickiness") or {}
    bad = (result["errors"], result["lost"], result["doubled"], result.get("flip_failed"))
    return result["requests"] > 0 and not any((*bad, sticky.get("moved_back"), sticky.get("mixed")))


def text(result: dict[str, Any]) -> str:
    """For a person."""
    lines = [f"{'side':<10}{'requests':>10}{'errors':>8}{'p50 ms':>9}{'p99 ms':>9}{'longest':>9}"]
    names = {"-": "unsaid"}
    for side, count in result["by_side"].items():
        errors = result["errors_by_side"].get(side, 0)
        times = "".join(f"{result[name][side]:>9,.1f}" for name in ("p50_ms", "p99_ms", "max_ms"))
        lines.append(f"{names.get(side, side):<10}{count:>10,}{errors:>8,}{times}")
    lines.append(
        f"{result['requests']:,} requests of {result['users']} users in {result['seconds']} s, "
        f"{result['errors']:,} errors, {result['acknowledged']:,} acknowledged writes"
    )
    if result["lost"] is not None:
        lines.append(f"lost {result['lost']}, doubled {result['doubled']}")
    if "flips" in result:
        sticky = result["stickiness"]
        lines.append(
            f"{result['flips']} flips, longest {result['longest_flip_ms']:,.0f} ms; "
            f"{sticky['moved_back']} users moved back, {sticky['mixed']} met both sides at once"
        )
        if result["flip_failed"]:
            lines.append(f"the run ended early, a flip failed: {result['flip_failed']}")
    return "\n".join(lines)


def main(arguments: list[str] | None = None) -> int:
    """Exit status: 0 all held, 1 something did not, 2 wrong usage."""
    options = _parser().parse_args(arguments)
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    try:
        plan = Plan(
            options.scenario,
            options.host,
            options.users,
            options.seconds,
            options.out,
            options.wait,
            options.seed,
            command_hook(options.hook) if options.hook else None,
            options.hook_every,
            options.capability,
            parse_schedule(options.schedule),
            options.ledger_db,
            options.ledger_gateway,
        )
        result = run_load(plan, stop)
    except (LoadError, NotLoopback, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except OwnerUnreachable as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(json.dumps(result) if options.json else text(result))
    return 0 if held(result) else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m loadtests.run", description="One load run.")
    parser.add_argument(
        "scenario", choices=SCENARIOS, help="; ".join(f"{name}: {what}" for name, what in SCENARIOS.items())
    )
    parser.add_argument("--host", required=True, help="http://127.0.0.1:PORT of the proxy, or of one side")
    parser.add_argument("--users", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--out", type=Path, required=True, help="a folder for the records, not used before")
    parser.add_argument("--wait", type=float, default=0.5, help="mean seconds between two actions of a shopper")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--hook", help="flip: a command with {percent} in it that prints JSON with a version")
    parser.add_argument("--hook-every", type=float, default=5.0, metavar="SECONDS")
    schedule = ",".join(f"{percent:g}" for percent in SCHEDULE)
    parser.add_argument("--schedule", default=schedule, help=f"flip: the percents, over and over (default {schedule})")
    parser.add_argument("--capability", default="catalog", help="flip: the one whose percent the hook changes")
    parser.add_argument("--ledger-db", help="afterwards look for every write: mysql://user:password@host:port/schema")
    parser.add_argument("--ledger-gateway", help="and for every charge: http://127.0.0.1:PORT of the payment gateway")
    parser.add_argument("--json", action="store_true")
    return parser


if __name__ == "__main__":
    sys.exit(main())
