"""The category tree, read whole: it has some hundred nodes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from legacy_monolith.catalog.filters import is_id
from legacy_monolith.models import Category


@dataclass(frozen=True)
class Node:
    """One category as a value."""

    id: int
    parent_id: int | None
    name: str
    slug: str
    position: int
    deleted: bool


class Tree:
    """All nodes, the deleted ones too."""

    def __init__(self, nodes: list[Node]) -> None:
        self._by_id = {node.id: node for node in nodes}
        self._children: dict[int | None, list[Node]] = {}
        for node in sorted(nodes, key=lambda node: (node.position, node.id)):
            self._children.setdefault(node.parent_id, []).append(node)

    def find(self, reference: str) -> Node | None:
        """By id (digits) or slug (case does not matter); None if unknown, deleted, or below a deleted one."""
        if is_id(reference):
            node = self._by_id.get(int(reference))
        else:
            slug = reference.lower()
            node = next((node for node in self._by_id.values() if node.slug == slug), None)
        return node if node and not any(step.deleted for step in self.path(node.id)) else None

    def path(self, node_id: int | None) -> list[Node]:
        """From the root down to the node."""
        steps: list[Node] = []
        while node_id is not None and (node := self._by_id.get(node_id)) is not None:
            steps.append(node)
            node_id = node.parent_id
        return steps[::-1]

    def subtree(self, node_id: int) -> list[int]:
        """The node and what is below it, without deleted branches, ascending."""
        found = [node_id]
        for child in self._children.get(node_id, []):
            if not child.deleted:
                found.extend(self.subtree(child.id))
        return sorted(found)

    def represent(self, parent_id: int | None = None) -> list[dict[str, Any]]:
        """Nested, siblings by position then id, without deleted branches."""
        return [
            {"id": node.id, "name": node.name, "slug": node.slug, "children": self.represent(node.id)}
            for node in self._children.get(parent_id, [])
            if not node.deleted
        ]


_PATH = text(
    """
    WITH RECURSIVE steps AS (
      SELECT id, parent_id, name, slug, position, deleted_at, 0 AS height FROM categories WHERE id = :id
      UNION ALL
      SELECT above.id, above.parent_id, above.name, above.slug, above.position, above.deleted_at, steps.height + 1
      FROM categories AS above JOIN steps ON above.id = steps.parent_id)
    SELECT id, parent_id, name, slug, position, deleted_at FROM steps ORDER BY height DESC
    """
)


def read_path(session: Session, category_id: int) -> list[Node]:
    """From the root down to the node, without reading the rest of the tree."""
    return [Node(*row[:5], deleted=row[5] is not None) for row in session.execute(_PATH, {"id": category_id})]


def read_tree(session: Session) -> Tree:
    rows = session.execute(
        select(Category.id, Category.parent_id, Category.name, Category.slug, Category.position, Category.deleted_at)
    )
    return Tree([Node(*row[:5], deleted=row[5] is not None) for row in rows])
