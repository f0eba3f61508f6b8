"""Contracts and their cases."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType

from contracts.visitor import Answer, Visitor

Promise = Callable[[Visitor], None]


class Broken(AssertionError):
    """A promise does not hold; the text says which and what came instead."""


class ContractError(Exception):
    """A contract can't be loaded; the text says why and which there are."""


@dataclass(frozen=True)
class Case:
    """One promise. ``run`` makes requests through the visitor and raises Broken."""

    name: str
    run: Promise


@dataclass
class Contract:
    """All promises of one capability.

    ``headers`` are compared beside status and body; ``normalise`` is applied to a body before the two sides are
    compared, and is where a declared, permitted difference is taken away (none by default: byte by byte).

    Requests of cases that only read are asked of the two sides one right after the other. Those that write can't be:
    with ``story``, which makes a ``normalise`` for one run of one case on one side, the two runs of each case are
    compared answer by answer instead. Whatever ``routes`` do not name is asked of the rest of the application.
    """

    capability: str
    headers: tuple[str, ...] = ("content-type",)
    normalise: Callable[[Answer], bytes] = field(default=lambda answer: answer.body)
    cases: list[Case] = field(default_factory=list)
    story: Callable[[], Callable[[Answer], bytes]] | None = None
    routes: tuple[str, ...] = ()

    def case(self, name: str) -> Callable[[Promise], Promise]:
        """Decorates the function that checks the promise ``name``."""

        def add(promise: Promise) -> Promise:
            if any(case.name == name for case in self.cases):
                raise ValueError(f"the contract of {self.capability} has two cases called {name!r}")
            self.cases.append(Case(name, promise))
            return promise

        return add


def require(holds: object, message: str) -> None:
    """Raises Broken with ``message`` unless it holds."""
    if not holds:
        raise Broken(message)


def load(contract: str) -> Contract:
    """By capability (``catalog``) or by file (``contracts/catalog.py``). Raises ContractError."""
    module = _from_file(Path(contract)) if contract.endswith(".py") else _by_name(contract)
    found = getattr(module, "CONTRACT", None)
    if not isinstance(found, Contract):
        raise ContractError(f"{contract} has no CONTRACT: a contract's module holds CONTRACT = Contract(...)")
    return found


def _by_name(capability: str) -> ModuleType:
    if not capability.isidentifier() or importlib.util.find_spec(f"contracts.{capability}") is None:
        here = Path(__file__).parent
        known = sorted(path.stem for path in here.glob("*.py") if "\nCONTRACT = Contract(" in path.read_text())
        raise ContractError(f"no contract is called {capability!r}; there are: {', '.join(known)}")
    return importlib.import_module(f"contracts.{capability}")


def _from_file(path: Path) -> ModuleType:
    if not path.is_file():
        raise ContractError(f"there is no contract file {path}")
    if path.resolve().parent == Path(__file__).resolve().parent:
        return importlib.import_module(f"contracts.{path.stem}")
    spec = importlib.util.spec_from_file_location(f"contract_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise ContractError(f"{path} can't be loaded as a Python module")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
