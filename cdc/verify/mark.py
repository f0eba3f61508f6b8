"""How far the comparison of a table has come, kept so that an interrupted one goes on there."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Protocol

from cdc.ranges import Bound
from cdc.verify.plan import TablePlan
from cdc.verify.side import Key


@dataclass(frozen=True)
class Mark:
    """All keys up to ``after`` have been compared (all of the table when ``done``), and what was found among them.

    ``listed`` are keys that differed: they are looked at again, as they may be mended since. The three counts are of
    keys beyond the list. ``signature`` is of the plan: a comparison by another mapping begins anew.
    """

    signature: str
    after: Bound | None
    done: bool
    rows: int
    seconds: float
    listed: tuple[Key, ...] = ()
    missing: int = 0
    extra: int = 0
    differing: int = 0
    in_flight: int = 0
    unsettled: int = 0

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> Mark:
        after = None if raw["after"] is None else tuple(raw["after"])
        return cls(**{**raw, "after": after, "listed": tuple(tuple(key) for key in raw["listed"])})


class Marks(Protocol):
    """Where marks are kept, by table of the new side. Called from the comparing thread."""

    def of(self, table: str) -> Mark | None: ...

    def keep(self, table: str, mark: Mark) -> None: ...


def signature(plan: TablePlan) -> str:
    """Changes with whatever is compared, or how."""
    return hashlib.sha256(repr((plan.legacy, plan.new, plan.key_columns, plan.value_columns)).encode()).hexdigest()
