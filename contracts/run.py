"""``python -m contracts.run CAPABILITY``: a contract on one side or both, and the two sides compared.

The comparison replays every request that the cases made on legacy, on both sides one right after the other. Under
live traffic rows are in flight and lists move: what does not hold is asked again, after a pause, before it counts.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import httpx

from contracts.case import Broken, Case, Contract, ContractError, load
from contracts.compare import Place, places
from contracts.report import Difference, Report
from contracts.visitor import Request, Unreachable, Visitor, open_client

SIDES = ("legacy", "new", "both")


@dataclass(frozen=True)
class Patience:
    """How often and after how long a pause something that does not hold is asked again."""

    attempts: int = 4
    pause_seconds: float = 0.5
    sleep: Callable[[float], None] = time.sleep


def run_contract(
    contract: str | Contract,
    side: str = "both",
    *,
    legacy_url: str | None = None,
    new_url: str | None = None,
    patience: Patience = Patience(),
) -> Report:
    """Run a contract (a capability's name, a file, or the object). Blocks for seconds.

    Raises ContractError (unknown contract or side, address missing) and Unreachable.
    """
    contract = contract if isinstance(contract, Contract) else load(contract)
    urls = addresses(side, {"legacy": legacy_url, "new": new_url})
    with contextlib.ExitStack() as stack:
        clients = {name: stack.enter_context(open_client(url)) for name, url in urls.items()}
        return run_on(contract, clients, patience)


def run_on(contract: Contract, clients: Mapping[str, httpx.Client], patience: Patience = Patience()) -> Report:
    """The same over clients that are open already, by side; with both of them the two are compared as well."""
    report = Report(contract.capability, "both" if len(clients) == 2 else next(iter(clients)))
    began = time.monotonic()
    asked: dict[Request, None] = {}
    for name, client in clients.items():
        for case in contract.cases:
            asked.update(dict.fromkeys(_run_case(case, name, client, report, patience)))
    if len(clients) == 2:
        for request in asked:
            _compare(contract, request, clients["legacy"], clients["new"], report, patience)
    report.seconds = round(time.monotonic() - began, 3)
    return report


def holds(case: Case, client: httpx.Client, patience: Patience) -> tuple[Broken | None, int, list[Request]]:
    """(None or what is broken, how often it was run, the requests of the last run)."""
    problem: Broken | None = None
    visitor = Visitor(client)
    for attempt in range(1, patience.attempts + 1):
        visitor = Visitor(client)
        try:
            case.run(visitor)
        except Broken as broken:
            problem = broken
        else:
            return None, attempt, [answer.request for answer in visitor.exchanges]
        if attempt < patience.attempts:
            patience.sleep(patience.pause_seconds)
    return problem, patience.attempts, [answer.request for answer in visitor.exchanges]


def differing(
    contract: Contract, request: Request, legacy: httpx.Client, new: httpx.Client, patience: Patience
) -> tuple[list[Place], int]:
    """(where the two sides' answers to one request differ, how often it was asked)."""
    found: list[Place] = []
    for attempt in range(1, patience.attempts + 1):
        found = places(contract, Visitor(legacy).send(request), Visitor(new).send(request))
        if not found:
            return [], attempt
        if attempt < patience.attempts:
            patience.sleep(patience.pause_seconds)
    return found, patience.attempts


def _run_case(case: Case, side: str, client: httpx.Client, report: Report, patience: Patience) -> Iterable[Request]:
    broken, attempts, requests = holds(case, client, patience)
    report.requests += len(requests)
    if broken is None:
        report.passed += 1
        report.settled += attempts > 1
    else:
        report.failed += 1
        last = str(requests[-1]) if requests else ""
        report.differences.append(Difference(case.name, side, last, "", "", "", str(broken)))
    return requests


def _compare(
    contract: Contract, request: Request, legacy: httpx.Client, new: httpx.Client, report: Report, patience: Patience
) -> None:
    found, attempts = differing(contract, request, legacy, new, patience)
    report.requests += 2 * attempts
    if not found:
        report.passed += 1
        report.settled += attempts > 1
        return
    report.failed += 1
    for place in found:
        message = f"{request} at {place.path}: legacy {place.legacy}, new {place.new}"
        report.differences.append(
            Difference("same answers", "both", str(request), place.path, place.legacy, place.new, message)
        )


def addresses(side: str, urls: dict[str, str | None]) -> dict[str, str]:
    """The addresses that ``side`` needs, by side. Raises ContractError naming what is missing or wrong."""
    if side not in SIDES:
        raise ContractError(f"a side is one of {', '.join(SIDES)}, not {side!r}")
    wanted = ("legacy", "new") if side == "both" else (side,)
    needed = {}
    for name in wanted:
        url = urls[name]
        if not url:
            raise ContractError(f"--{name}-url is missing: where does the {name} side answer?")
        if not url.startswith(("http://", "https://")):
            raise ContractError(f"--{name}-url must start with http:// or https://, not {url!r}")
        needed[name] = url
    return needed


def main(arguments: list[str] | None = None) -> int:
    """Exit status: 0 all holds, 1 something does not (or a side does not answer), 2 wrong usage."""
    parser = argparse.ArgumentParser(prog="python -m contracts.run", description=__doc__.splitlines()[0])
    parser.add_argument("contract", help="a capability (catalog) or a contract's file (contracts/catalog.py)")
    parser.add_argument("--side", choices=SIDES, default="both")
    parser.add_argument("--legacy-url")
    parser.add_argument("--new-url")
    parser.add_argument("--json", action="store_true", help="print the report as one JSON object")
    options = parser.parse_args(arguments)
    try:
        report = run_contract(options.contract, options.side, legacy_url=options.legacy_url, new_url=options.new_url)
    except (ContractError, Unreachable) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2 if isinstance(error, ContractError) else 1
    print(json.dumps(report.as_json(), ensure_ascii=False) if options.json else report.text())
    return 0 if report.ok else 1


if __name__ == "__main__":
    sys.exit(main())
