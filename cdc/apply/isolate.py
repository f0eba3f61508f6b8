"""Which changes of a batch go in, and which have to wait: found by trying, in halves.

Pure: trying is given, and what a change is. One that waits keeps all later ones of its row waiting; whatever else goes
on. Finding one that fails costs about twice the logarithm of the batch in tries.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from cdc.apply.identity import Mark
from cdc.apply.refusal import of_other_rows

C = TypeVar("C")
Attempt = Callable[[Sequence[C]], Exception | None]
"""Apply these, in order. None when they are in; otherwise what was said, and nothing of them is in. An error that no
row is to blame for is raised."""


class TooManyFail(Exception):
    """So many rows of one batch are refused that the rows are not what is wrong. ``change`` is the first of them."""

    def __init__(self, change: Any, cause: Exception, keys: int) -> None:
        super().__init__(str(cause.args[-1] if cause.args else cause))
        self.change, self.cause, self.keys = change, cause, keys


@dataclass(frozen=True)
class Aside(Generic[C]):
    """A change that did not go in. ``error`` says why; None: it waits behind an earlier one that shares a mark."""

    change: C
    marks: tuple[Mark, ...]
    error: str | None


@dataclass(frozen=True)
class _Numbered(Generic[C]):
    number: int
    change: C
    marks: tuple[Mark, ...]


@dataclass
class _Outcome(Generic[C]):
    """In one pass over some changes: those that wait, in order; by number why the failed ones failed."""

    waiting: list[_Numbered[C]]
    failed: dict[int, Exception]


def isolate(
    changes: Sequence[C],
    attempt: Attempt[C],
    marks: Callable[[C], tuple[Mark, ...]],
    held: Collection[Mark],
    most_keys: int,
) -> list[Aside[C]]:
    """Apply ``changes`` but for those that fail or wait; these, in order. All at once is tried first.

    ``held`` are the marks of what waits already. What fails for another row's sake (a duplicate, a missing parent) is
    tried once more after the rest, together, as long as that helps: so values that swap, or a child that comes before
    its parent, are not set aside because something else of their batch was. Raises TooManyFail.
    """
    error = None
    if not held and (not changes or (error := attempt(changes)) is None):
        return []
    numbered = [_Numbered(number, change, marks(change)) for number, change in enumerate(changes)]
    outcome = _pass(numbered, attempt, held, most_keys, error)
    while hopeful := _hopeful(outcome):
        again = _pass(hopeful, attempt, held, most_keys)
        if len(again.waiting) == len(hopeful):
            break
        tried = {one.number for one in hopeful}
        rest = [one for one in outcome.waiting if one.number not in tried]
        outcome = _Outcome(
            sorted([*rest, *again.waiting], key=lambda one: one.number),
            {n: e for n, e in outcome.failed.items() if n not in tried} | again.failed,
        )
    return [
        Aside(one.change, one.marks, _words(outcome.failed[one.number]) if one.number in outcome.failed else None)
        for one in outcome.waiting
    ]


def _pass(
    changes: Sequence[_Numbered[C]],
    attempt: Attempt[C],
    held: Collection[Mark],
    most_keys: int,
    whole: Exception | None = None,
) -> _Outcome[C]:
    """``whole``: what was said when all of them were tried."""
    outcome, blocked = _Outcome[C]([], {}), set[Mark]()

    def free(some: Sequence[_Numbered[C]]) -> list[_Numbered[C]]:
        going = []
        for one in some:
            if any(mark in held or mark in blocked for mark in one.marks):
                blocked.update(one.marks)
                outcome.waiting.append(one)
            else:
                going.append(one)
        return going

    def part(some: Sequence[_Numbered[C]], known: Exception | None = None) -> None:
        going = free(some)
        if not going:
            return
        error = known or attempt([one.change for one in going])
        if error is None:
            return
        if len(going) > 1:
            middle = len(going) // 2
            part(going[:middle])
            part(going[middle:])
            return
        if len(outcome.failed) >= most_keys:
            first = next((one for one in outcome.waiting if one.number in outcome.failed), going[0])
            raise TooManyFail(first.change, outcome.failed.get(first.number, error), len(outcome.failed) + 1)
        blocked.update(going[0].marks)
        outcome.waiting.append(going[0])
        outcome.failed[going[0].number] = error

    part(changes, whole)
    outcome.waiting.sort(key=lambda one: one.number)
    return outcome


def _hopeful(outcome: _Outcome[C]) -> list[_Numbered[C]]:
    """Changes that failed for other rows' sake, and those that wait behind nothing worse; none if none failed so."""
    lost, hopeful = set[Mark](), list[_Numbered[C]]()
    for one in outcome.waiting:
        error = outcome.failed.get(one.number)
        if (error is not None and not of_other_rows(error)) or any(mark in lost for mark in one.marks):
            lost.update(one.marks)
        else:
            hopeful.append(one)
    return hopeful if any(one.number in outcome.failed for one in hopeful) else []


def _words(error: Exception) -> str:
    return " ".join(str(error.args[-1] if error.args else error).split())
