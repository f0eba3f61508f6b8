"""Telling a real difference from a row in flight: by the stream's position, not by the row's age.

One round: read the owner's rows, take the owner's position, wait until the other side has applied it, read the other
side's rows, read the owner's rows again. A row is settled equal when the other side holds what the owner held before or
after; it is different when the owner's row stood still and the other side's, which by then had to hold it, did not. A
row that changed meanwhile goes round again. As a row may also change back and forth unseen, a difference counts only
when several rounds, at uneven distances, saw exactly the same.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

from cdc.verify.errors import NotSettled

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

ROUNDS = 40
CONFIRMATIONS = 6
_LONGEST_PAUSE_SECONDS = 0.02


class Settle(Protocol):
    """What the comparison asks of the stream that carries the owner's rows to the other side."""

    def source_position(self) -> str:
        """The owner's position now: at or after every transaction that was visible before the call."""
        ...

    def wait_applied(self, position: str, timeout_seconds: float) -> bool:
        """Block until the other side has committed everything up to ``position``; False when the time ran out."""
        ...


@dataclass
class Settled(Generic[K, V]):
    """``different`` holds what the owner and the other side have, None where the row does not exist."""

    different: dict[K, tuple[V | None, V | None]] = field(default_factory=dict)
    equal: int = 0
    unsettled: list[K] = field(default_factory=list)


def uneven_pause() -> None:
    """Keeps rounds out of step with a writer that changes rows at a steady pace."""
    time.sleep(random.uniform(0.0, _LONGEST_PAUSE_SECONDS))


def settle_keys(
    keys: Sequence[K],
    read_owner: Callable[[Sequence[K]], Mapping[K, V]],
    read_other: Callable[[Sequence[K]], Mapping[K, V]],
    stream: Settle | None,
    *,
    timeout_seconds: float,
    confirmations: int = CONFIRMATIONS,
    rounds: int = ROUNDS,
    pause: Callable[[], None] = uneven_pause,
) -> Settled[K, V]:
    """Look at the keys again until each is equal, different or, after ``rounds``, unsettled.

    Without a ``stream`` there is nothing to wait for: both sides are read once more and what differs is different.
    Raises NotSettled when the stream did not apply a position within ``timeout_seconds``.
    """
    settled: Settled[K, V] = Settled()
    if not keys:
        return settled
    before = read_owner(keys)
    if stream is None:
        other = read_other(keys)
        settled.different = {k: (before.get(k), other.get(k)) for k in keys if before.get(k) != other.get(k)}
        settled.equal = len(keys) - len(settled.different)
        return settled
    open_keys = list(keys)
    seen: dict[K, tuple[int, V | None, V | None]] = {}
    for number in range(rounds):
        if number:
            pause()
        position = stream.source_position()
        if not stream.wait_applied(position, timeout_seconds):
            raise NotSettled(
                f"the stream has not applied position {position} within {timeout_seconds:g} s, so {len(open_keys)} "
                "rows that differ can't be told from rows in flight: see `strangler sync status`, and verify again "
                "when it has caught up"
            )
        other = read_other(open_keys)
        after = read_owner(open_keys)
        still_open = []
        for key in open_keys:
            old, new, now = before.get(key), other.get(key), after.get(key)
            if new in (old, now):
                settled.equal += 1
            elif old != now:
                seen.pop(key, None)
                still_open.append(key)
            else:
                times, *same = seen.get(key, (0, None, None))
                times = times + 1 if times and same == [now, new] else 1
                if times >= confirmations:
                    settled.different[key] = (now, new)
                else:
                    seen[key] = (times, now, new)
                    still_open.append(key)
        open_keys, before = still_open, after
        if not open_keys:
            break
    settled.unsettled = open_keys
    return settled
