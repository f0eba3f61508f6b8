"""What is loaded of a batch: its changes reduced, as LOAD DATA's text. Pure, and most of the Python that a row costs.

So it is worked out ahead, while the target is busy with the batch before. Whatever does not fit is found again, and
told, when the batch's turn has come.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from cdc.apply.plan import Plan
from cdc.apply.reduce import MissingKey, reduce
from cdc.apply.text import MissingColumn, load_text
from cdc.event import Change


class Texts(NamedTuple):
    """Of one source table: old images of rows that are gone or moved, and rows as they are now. Empty for none."""

    gone: bytes
    stored: bytes


class Run(list[Change]):
    """Changes between which nothing else comes, and their texts by a plan, where they were worked out ahead."""

    def __init__(self, changes: Iterable[Change] = ()) -> None:
        super().__init__(changes)
        self._texts: tuple[Plan, dict[str, Texts]] | None = None

    def prepare(self, plan: Plan) -> None:
        """Changes that do not fit the plan are left for later: it may be another one by then."""
        try:
            self._texts = plan, _texts(self, plan)
        except (MissingKey, MissingColumn, TypeError):
            self._texts = None

    def ahead(self, plan: Plan) -> dict[str, Texts] | None:
        """None when they were not worked out by just this plan."""
        return self._texts[1] if self._texts is not None and self._texts[0] is plan else None


def texts_of(changes: Sequence[Change], plan: Plan) -> dict[str, Texts]:
    """By source table; tables of which nothing is to be loaded are left out. Raises MissingKey, MissingColumn, and
    TypeError for a value that no column can have."""
    ahead = changes.ahead(plan) if isinstance(changes, Run) else None
    return ahead if ahead is not None else _texts(changes, plan)


def _texts(changes: Iterable[Change], plan: Plan) -> dict[str, Texts]:
    texts: dict[str, Texts] = {}
    for name, batch in reduce(changes, plan.keys).items():
        source = plan.sources[name]
        names = source.staging.names
        gone, stored = batch.gone(source.watched), batch.stored()
        texts[name] = Texts(load_text(gone, names) if gone else b"", load_text(stored, names) if stored else b"")
    return texts
