"""``python -m contracts.run CAPABILITY``: a contract on one side or both, and the two sides compared.

The comparison replays every request that the cases made on legacy, on both sides one right after the other (of a
contract that writes, it compares the two runs of each case). Under live traffic rows are in flight and lists move: what
does not hold is asked again, after a pause, before it counts.
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import json
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import httpx

from contracts.case import Broken, Case, Contract, ContractError, load
from contracts.compare import Place, places
from contracts.report import Difference, Report
from contracts.visitor import Answer, Request, Unreachable, Visitor, open_client

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
    shop_url: str | None = None,
    patience: Patience = Patience(),
) -> Report:
    """Run a contract (a capability's name, a file, or the object). Blocks for seconds.

    ``shop_url``: where the rest of the application answers, for contracts with routes; legacy's if it is left out.
    Raises ContractError (unknown contract or side, address missing) and Unreachable.
    """
    contract = contract if isinstance(contract, Contract) else load(contract)
    urls = addresses(side, {"legacy": legacy_url, "new": new_url})
    with contextlib.ExitStack() as stack:
        clients = {name: stack.enter_context(open_client(url)) for name, url in urls.items()}
        rest = shop_url or legacy_url
        elsewhere = {"new": stack.enter_context(open_client(rest))} if contract.routes and rest else {}
        return run_on(contract, clients, patience, elsewhere)


def run_on(
    contract: Contract,
    clients: Mapping[str, httpx.Client],
    patience: Patience = Patience(),
    elsewhere: Mapping[str, httpx.Client] | None = None,
) -> Report:
    """The same over clients that are open already, by side; with both of them the two are compared as well."""
    report = Report(contract.capability, "both" if len(clients) == 2 else next(iter(clients)))
    began = time.monotonic()
    told: dict[tuple[str, str], list[Answer]] = {}
    for name, client in clients.items():
        visit = functools.partial(Visitor, client, elsewhere=(elsewhere or {}).get(name), routes=contract.routes)
        for case in contract.cases:
            told[name, case.name] = _run_case(case, name, visit, report, patience)
    if len(clients) == 2 and contract.story is not None:
        for case in contract.cases:
            _compare_stories(contract, case, told["legacy", case.name], told["new", case.name], report)
    elif len(clients) == 2:
        for request in {answer.request: None for answers in told.values() for answer in answers}:
            _compare(contract, request, clients["legacy"], clients["new"], report, patience)
    report.seconds = round(time.monotonic() - began, 3)
    return report


def holds(case: Case, visit: Callable[[], Visitor], patience: Patience) -> tuple[Broken | None, int, list[Answer]]:
    """(None or what is broken, how often it was run, the answers of the last run)."""
    problem: Broken | None = None
    visitor = visit()
    for attempt in range(1, patience.attempts + 1):
        visitor = visit()
        try:
            case.run(visitor)
        except Broken as broken:
            problem = broken
        else:
            return None, attempt, visitor.exchanges
        if attempt < patience.attempts:
            patience.sleep(patience.pause_seconds)
    return problem, patience.attempts, visitor.exchanges


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


def stories(contract: Contract, legacy: list[Answer], new: list[Answer]) -> list[tuple[Request, Place]]:
    """Where the two runs of one case differ, with the request that it was the answer of."""
    assert contract.story is not None
    one, other = contract.story(), contract.story()
    found: list[tuple[Request, Place]] = []
    for here, there in zip(legacy, new, strict=False):
        found += [(here.request, place) for place in places(contract, here, there, (one(here), other(there)))]
    if len(legacy) != len(new) and legacy:
        found.append((legacy[-1].request, Place("number of requests", str(len(legacy)), str(len(new)))))
    return found


def _run_case(case: Case, side: str, visit: Callable[[], Visitor], report: Report, patience: Patience) -> list[Answer]:
    broken, attempts, answers = holds(case, visit, patience)
    report.requests += len(answers)
    if broken is None:
        report.passed += 1
        report.settled += attempts > 1
    else:
        report.failed += 1
        last = str(answers[-1].request) if answers else ""
        report.differences.append(Difference(case.name, side, last, "", "", "", str(broken)))
    return answers


def _compare_stories(contract: Contract, case: Case, legacy: list[Answer], new: list[Answer], report: Report) -> None:
    found = stories(contract, legacy, new)
    report.passed += not found
    report.failed += bool(found)
    for request, place in found:
        message = f"{case.name}: {request} at {place.path}: legacy {place.legacy}, new {place.new}"
        report.differences.append(
            Difference(case.name, "both", str(request), place.path, place.legacy, place.new, message)
        )


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
    parser.add_argument("--shop-url", help="where the rest of the application answers (default: the legacy side)")
    parser.add_argument("--json", action="store_true", help="print the report as one JSON object")
    options = parser.parse_args(arguments)
    try:
        report = run_contract(
            options.contract,
            options.side,
            legacy_url=options.legacy_url,
            new_url=options.new_url,
            shop_url=options.shop_url,
        )
    except (ContractError, Unreachable) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2 if isinstance(error, ContractError) else 1
    print(json.dumps(report.as_json(), ensure_ascii=False) if options.json else report.text())
    return 0 if report.ok else 1


if __name__ == "__main__":
    sys.exit(main())
