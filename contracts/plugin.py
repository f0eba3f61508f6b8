"""The pytest plugin: a contract's cases as tests, on one side or both, and the comparison of the two.

    pytest -p contracts.plugin contracts/catalog.py --side both --legacy-url http://... --new-url http://...

Each case is a test per side (``catalog.py::legacy::an unknown item is not found``); with ``--side both`` each request
that the cases made is a comparison, all of them in one test, ``same answers``.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from contracts.case import Broken, Case, Contract, ContractError, load
from contracts.run import SIDES, Patience, addresses, differing, holds
from contracts.visitor import Request, open_client

_PATIENCE = Patience()


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("contracts", "contracts of capabilities")
    group.addoption("--side", choices=SIDES, default="both", help="the side a contract runs on (default: both)")
    group.addoption("--legacy-url", help="where the legacy side answers")
    group.addoption("--new-url", help="where the new side answers")


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
        asked: dict[Request, None] = {}
        for name, url in urls.items():
            yield SideCollector.from_parent(self, name=name, contract=contract, url=url, asked=asked)
        if options.side == "both":
            yield ComparisonItem.from_parent(self, name="same answers", contract=contract, urls=urls, asked=asked)


class SideCollector(pytest.Collector):
    """The cases on one side, over one client."""

    def __init__(self, *, contract: Contract, url: str, asked: dict[Request, None], **more: Any) -> None:
        super().__init__(**more)
        self.contract = contract
        self.asked = asked
        self.client = open_client(url)
        self.config.add_cleanup(self.client.close)

    def collect(self) -> Iterator[pytest.Item]:
        for case in self.contract.cases:
            yield CaseItem.from_parent(self, name=case.name, case=case, client=self.client, asked=self.asked)


class _ContractItem(pytest.Item):
    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        return str(excinfo.value) if isinstance(excinfo.value, Broken) else super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, None, str]:
        return self.path, None, self.name


class CaseItem(_ContractItem):
    """One case on one side."""

    def __init__(self, *, case: Case, client: httpx.Client, asked: dict[Request, None], **more: Any) -> None:
        super().__init__(**more)
        self.case, self.client, self.asked = case, client, asked

    def runtest(self) -> None:
        broken, _, requests = holds(self.case, self.client, _PATIENCE)
        self.asked.update(dict.fromkeys(requests))
        if broken is not None:
            raise broken


class ComparisonItem(_ContractItem):
    """Every request the cases made, answered by both sides with the same bytes."""

    def __init__(self, *, contract: Contract, urls: dict[str, str], asked: dict[Request, None], **more: Any) -> None:
        super().__init__(**more)
        self.contract, self.urls, self.asked = contract, urls, asked

    def runtest(self) -> None:
        lines: list[str] = []
        with open_client(self.urls["legacy"]) as legacy, open_client(self.urls["new"]) as new:
            for request in self.asked:
                found, _ = differing(self.contract, request, legacy, new, _PATIENCE)
                lines.extend(f"{request} at {place.path}: legacy {place.legacy}, new {place.new}" for place in found)
        if lines:
            raise Broken("\n".join(lines))
        if not self.asked:
            raise Broken("no request was made: run the cases together with the comparison")
