"""The category tree: some hundred nodes, read whole and kept for a moment."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from extracted.catalog.question import as_id


@dataclass(frozen=True)
class Node:
    """One category."""

    id: int
    parent_id: int | None
    name: str
    slug: str
    position: int
    retired: bool


class Tree:
    """All nodes, the retired ones too. Immutable: threads share it."""

    def __init__(self, nodes: Iterable[Node]) -> None:
        ordered = sorted(nodes, key=lambda node: (node.position, node.id))
        self._by_id = {node.id: node for node in ordered}
        self._by_slug = {node.slug: node for node in ordered}
        self._children: dict[int | None, list[Node]] = {}
        for node in ordered:
            self._children.setdefault(node.parent_id, []).append(node)
        self.shown = self._represent(None)

    def find(self, reference: str) -> Node | None:
        """By id (digits) or slug (case does not matter); None if unknown, retired, or below a retired one."""
        number = as_id(reference)
        node = self._by_slug.get(reference.lower()) if number is None else self._by_id.get(number)
        return node if node and not any(step.retired for step in self.path(node.id)) else None

    def path(self, node_id: int | None) -> list[Node]:
        """From the root down to the node."""
        steps: list[Node] = []
        while node_id is not None and (node := self._by_id.get(node_id)) is not None and len(steps) < len(self._by_id):
            steps.append(node)
            node_id = node.parent_id
        return steps[::-1]

    def subtree(self, node_id: int) -> list[int]:
        """The node and what is below it, without retired branches."""
        found = [node_id]
        for parent in found:
            found.extend(child.id for child in self._children.get(parent, ()) if not child.retired)
        return found

    def _represent(self, parent_id: int | None) -> list[dict[str, Any]]:
        """Nested as the API shows it: siblings by position then id, without retired branches."""
        return [
            {"id": node.id, "name": node.name, "slug": node.slug, "children": self._represent(node.id)}
            for node in self._children.get(parent_id, ())
            if not node.retired
        ]


class TreeCache:
    """Hands out a tree at most ``seconds`` old. ``read`` blocks; one thread reads at a time."""

    def __init__(self, read: Callable[[], Tree], seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._read = read
        self._seconds = seconds
        self._clock = clock
        self._lock = threading.Lock()
        self._kept: tuple[float, Tree] | None = None

    def get(self) -> Tree:
        kept = self._kept
        if kept is not None and self._clock() < kept[0]:
            return kept[1]
        with self._lock:
            kept = self._kept
            if kept is None or self._clock() >= kept[0]:
                # The age counts from before the read: what was committed later is seen within ``seconds``.
                expires = self._clock() + self._seconds
                kept = (expires, self._read())
                self._kept = kept
            return kept[1]
