"""Where each key of a TOML text stands."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping

import tree_sitter_toml
from tree_sitter import Language, Node, Parser

Key = tuple[str | int, ...]  # ("capability", "catalog", "routes", 0)


class Positions:
    """Line numbers (1-based) by key. A key the text doesn't hold has the line of its nearest parent."""

    def __init__(self, lines: Mapping[Key, int]) -> None:
        self._lines = lines

    @classmethod
    def of(cls, text: str) -> Positions:
        """Never raises: a text that isn't TOML just has fewer positions."""
        lines: dict[Key, int] = {}
        counts: dict[Key, int] = {}
        root = Parser(Language(tree_sitter_toml.language())).parse(text.encode()).root_node
        for node in root.named_children:
            if node.type == "pair":
                _pair(node, (), lines)
            elif node.type in ("table", "table_array_element"):
                header, *pairs = node.named_children
                key: Key = tuple(_names(header))
                if node.type == "table_array_element":
                    counts[key] = counts.get(key, -1) + 1
                    key = (*key, counts[key])
                _note(key, header, lines)
                for pair in pairs:
                    if pair.type == "pair":
                        _pair(pair, key, lines)
        return cls(lines)

    def line(self, key: Key) -> int:
        while key:
            if key in self._lines:
                return self._lines[key]
            key = key[:-1]
        return 1


def _note(key: Key, node: Node, lines: dict[Key, int]) -> None:
    for end in range(1, len(key) + 1):
        lines.setdefault(key[:end], node.start_point[0] + 1)


def _pair(node: Node, parent: Key, lines: dict[Key, int]) -> None:
    name, value = (c for c in node.named_children if c.type != "comment")
    key = (*parent, *_names(name))
    _note(key, node, lines)
    _value(value, key, lines)


def _value(node: Node, key: Key, lines: dict[Key, int]) -> None:
    children = [c for c in node.named_children if c.type != "comment"]
    if node.type == "inline_table":
        for pair in children:
            _pair(pair, key, lines)
    elif node.type == "array":
        for index, item in enumerate(children):
            _note((*key, index), item, lines)
            _value(item, (*key, index), lines)


def _names(node: Node) -> Iterator[str]:
    """The parts of a possibly dotted, possibly quoted key."""
    text = (node.text or b"").decode()
    parsed: object = tomllib.loads(f"{text} = 0")  # tomllib knows the quoting rules
    while isinstance(parsed, dict):
        ((name, parsed),) = parsed.items()
        yield name
