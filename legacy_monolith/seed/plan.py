"""How much of everything goes with so many items."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

#: The data's "today"; items were made during the 120 days before it.
ANCHOR = datetime(2026, 11, 20, 12, 0, 0)
AGE = timedelta(days=120)
#: For what is meant to last: reservations that no job ends, promotions that stay.
FAR = datetime(2099, 1, 1)

FEWEST, MOST = 1_000, 10_000_000
CHUNK = 10_000
STAFF = 3
ITEMS_PER_BAG = 20


@dataclass(frozen=True)
class Plan:
    """Counts by table; ids of every table begin at 1. The first ``STAFF`` users are staff."""

    items: int
    seed: int

    @property
    def customers(self) -> int:
        return min(1_000_000, max(50, self.items // 10))

    @property
    def users(self) -> int:
        return STAFF + self.customers

    @property
    def brands(self) -> int:
        return min(2_000, 40 + self.items // 500)

    @property
    def bags(self) -> int:
        return -(-self.items // ITEMS_PER_BAG)

    def random(self, table: str, chunk: int = 0) -> Random:
        """The random numbers of one chunk of one table, independent of all others."""
        return Random(f"{self.seed}:{table}:{chunk}")

    def chunks(self, rows: int) -> Iterator[tuple[int, range]]:
        """(number, ids) of pieces of ``CHUNK`` rows."""
        for number, first in enumerate(range(1, rows + 1, CHUNK)):
            yield number, range(first, min(first + CHUNK, rows + 1))

    def bag_owner(self, bag_id: int) -> int:
        return STAFF + 1 + (bag_id * 7919 + self.seed) % self.customers
