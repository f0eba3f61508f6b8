"""The category tree, as far as promotions need it: which categories an item is in."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import select
from sqlalchemy.orm import Session

from extracted.purchasing.tables import Category


def path(parents: Mapping[int, int | None], category_id: int | None) -> frozenset[int]:
    """The category and all above it; of categories that are not in ``parents`` nothing is known."""
    steps: set[int] = set()
    while category_id is not None and category_id in parents and category_id not in steps:
        steps.add(category_id)
        category_id = parents[category_id]
    return frozenset(steps)


def read_parents(session: Session) -> dict[int, int | None]:
    """Parent by category, retired ones too: it has some hundred nodes."""
    return {row[0]: row[1] for row in session.execute(select(Category.id, Category.parent_id))}
