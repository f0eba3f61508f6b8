"""The pytest plugin: a contract's cases as tests, on one side or both, and the comparison of the two.

    pytest -p contracts.plugin contracts/catalog.py --side both --legacy-url http://... --new-url http://...

Each case is a test per side (``catalog.py::legacy::an unknown item is not found``); with ``--side both`` each request
that the cases made is a comparison, all of them in one test, ``same answers`` (see ``Contract`` for those that write).
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from contracts.case import Broken, Case, Contract, ContractError, load
from contracts.compare import Place
from contracts.run import SIDES, Patience, addresses, differing, holds, stories
from contracts.visitor import Answer, Request, Visitor, open_client

#: The answers of each case that was run, by side and case.
Told = dict[tuple[str, str], list[Answer]]
_PATIENCE = Patience()


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("contracts", "contracts of capabilities")
    group.addoption("--side", choices=SIDES, default="both", help="the side a contract runs on (default: both)")
    group.addoption("--legacy-url", help="where the legacy side answers")
    group.addoption("--new-url", help="where the new side answers")
    group.addoption("--shop-url", help="where the rest of the application answers (default: the legacy side)")


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Only contract files that were named on the command line: ordinary test runs see nothing of this."""
    if file_path.suffix != ".py" or file_path not in _named(parent.config):
        return None
    try:
        load(str(file_path))
    except ContractError:
        return None
    return ContractFile.from_parent(parent, path=file_path)


def _named(config: pytest.Config) -> set[Path]:
    return {(config.invocation_params.dir / argument.partition("::")[0]).resolve() for argument in config.args}


class ContractFile(pytest.File):
    """One contract: its cases on each side, then the comparison."""

    def collect(self) -> Iterator[pytest.Item | pytest.Collector]:
        contract = load(str(self.path))
        options = self.config.option
        try:
            urls = addresses(options.side, {"legacy": options.legacy_url, "new": options.new_url})
        except ContractError as error:
            raise pytest.UsageError(str(error)) from error
        told: Told = {}
        for name, url in urls.items():
            rest = (options.shop_url or options.legacy_url) if name == "new" and contract.routes else None
            yield SideCollector.from_parent(self, name=name, contract=contract, url=url, rest=rest, told=told)
        if options.side == "both":
            yield ComparisonItem.from_parent(self, name="same answers", contract=contract, urls=urls, told=told)


class SideCollector(pytest.Collector):
    """The cases on one side, over one client."""

    def __init__(self, *, contract: Contract, url: str, rest: str | None, told: Told, **more: Any) -> None:
        super().__init__(**more)
        self.contract = contract
        self.told = told
        client = open_client(url)
        elsewhere = open_client(rest) if rest else None
        self.visit = functools.partial(Visitor, client, elsewhere=elsewhere, routes=contract.routes)
        for opened in filter(None, (client, elsewhere)):
            self.config.add_cleanup(opened.close)

    def collect(self) -> Iterator[pytest.Item]:
        for case in self.contract.cases:
            yield CaseItem.from_parent(
                self, name=case.name, case=case, side=self.name, visit=self.visit, told=self.told
            )


class _ContractItem(pytest.Item):
    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        return str(excinfo.value) if isinstance(excinfo.value, Broken) else super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, None, str]:
        return self.path, None, self.name


class CaseItem(_ContractItem):
    """One case on one side."""

    def __init__(self, *, case: Case, side: str, visit: Callable[[], Visitor], told: Told, **more: Any) -> None:
        super().__init__(**more)
        self.case, self.side, self.visit, self.told = case, side, visit, told

    def runtest(self) -> None:
        broken, _, self.told[self.side, self.case.name] = holds(self.case, self.visit, _PATIENCE)
        if broken is not None:
            raise broken


class ComparisonItem(_ContractItem):
    """Every request the cases made, answered by both sides with the same bytes."""

    def __init__(self, *, contract: Contract, urls: dict[str, str], told: Told, **more: Any) -> None:
        super().__init__(**more)
        self.contract, self.urls, self.told = contract, urls, told

    def runtest(self) -> None:
        if not self.told:
            raise Broken("no request was made: run the cases together with the comparison")
        found = self._replayed() if self.contract.story is None else self._told()
        lines = [f"{request} at {place.path}: legacy {place.legacy}, new {place.new}" for request, place in found]
        if lines:
            raise Broken("\n".join(lines))

    def _replayed(self) -> Iterator[tuple[Request, Place]]:
        with open_client(self.urls["legacy"]) as legacy, open_client(self.urls["new"]) as new:
            for request in {answer.request: None for answers in self.told.values() for answer in answers}:
                for place in differing(self.contract, request, legacy, new, _PATIENCE)[0]:
                    yield request, place

    def _told(self) -> Iterator[tuple[Request, Place]]:
        for case in self.contract.cases:
            legacy, new = (self.told.get((side, case.name), []) for side in ("legacy", "new"))
            yield from stories(self.contract, legacy, new)
