"""``{databases.catalog.url}`` and its like, in commands, environments and urls. A literal brace is doubled."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

_TOKEN = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")


class PlaceholderError(ValueError):
    """A brace that opens or closes nothing."""


def names(text: str) -> Iterator[str]:
    """The placeholders in the text, in order. Raises PlaceholderError."""
    for match in _TOKEN.finditer(text):
        if match[1] is not None:
            yield match[1]
        elif match[0] in "{}":
            raise PlaceholderError(f"a single {match[0]!r} in {text!r}: write {match[0] * 2} for a literal one")


def fill(text: str, value: Callable[[str], str]) -> str:
    """The text with every placeholder replaced by what ``value`` gives for its name."""
    return _TOKEN.sub(lambda m: value(m[1]) if m[1] is not None else m[0][0], text)
