"""Brands and the category tree."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from legacy_monolith.seed.loader import Row
from legacy_monolith.seed.plan import AGE, ANCHOR, Plan
from legacy_monolith.seed.words import BRAND_END_WORDS, BRAND_STARTS, TREE

BRAND_COLUMNS = ("id", "name", "slug", "is_designer", "created_at", "updated_at", "deleted_at")
CATEGORY_COLUMNS = ("id", "parent_id", "name", "slug", "position", "created_at", "updated_at", "deleted_at")
BORN = ANCHOR - AGE


@dataclass(frozen=True)
class Kind:
    """A leaf of the tree: what an item can be."""

    category_id: int
    noun: str
    sizes: tuple[str | None, ...]


def slug(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-")


def brand_name(brand_id: int) -> str:
    """Its proper name."""
    start = BRAND_STARTS[brand_id % len(BRAND_STARTS)]
    turn, end = divmod(brand_id // len(BRAND_STARTS), len(BRAND_END_WORDS))
    return f"{start} {BRAND_END_WORDS[end]}" + (f" {turn + 1}" if turn else "")


def brands(plan: Plan) -> Iterator[Row]:
    """Every ninth is stored with stray blanks; every fiftieth is gone."""
    for brand_id in range(1, plan.brands + 1):
        name = brand_name(brand_id)
        stored = f" {name}  " if brand_id % 9 == 0 else name
        gone = ANCHOR if brand_id % 50 == 0 else None
        yield brand_id, stored, slug(name), int(brand_id % 7 == 0), BORN, BORN, gone


def categories() -> tuple[list[Row], list[Kind]]:
    """(rows, the leaves that items hang on)"""
    rows: list[Row] = []
    kinds: list[Kind] = []

    def add(parent: int | None, name: str, address: str, position: int) -> int:
        rows.append((len(rows) + 1, parent, name, address, position, BORN, BORN, None))
        return len(rows)

    for i, (department, sections) in enumerate(TREE.items()):
        department_id = add(None, department, slug(department), i)
        for j, (section, (nouns, sizes)) in enumerate(sections.items()):
            address = f"{slug(department)}-{slug(section)}"
            section_id = add(department_id, section, address, j)
            for k, noun in enumerate(nouns):
                kinds.append(Kind(add(section_id, noun, f"{address}-{slug(noun)}", k), noun, sizes))
    return rows, kinds
