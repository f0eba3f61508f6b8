"""Which columns of a table an SQL expression mentions."""

from __future__ import annotations

import re
from collections.abc import Iterable

# quoted text is skipped, `quoted` and bare words are kept
_TOKEN = re.compile(r"'(?:[^'\\]|\\.|'')*'|\"(?:[^\"\\]|\\.|\"\")*\"|`((?:[^`]|``)+)`|([A-Za-z_$\u0080-\uffff][\w$]*)")


def mentioned(expressions: Iterable[str], columns: Iterable[str]) -> tuple[str, ...]:
    """Those of ``columns`` that occur as a word in any expression, in the order of ``columns``.

    May name one too many (a column called like a function), never one too few.
    """
    words = {
        (match[1] or match[2]).replace("``", "`").lower()
        for expression in expressions
        for match in _TOKEN.finditer(expression)
        if match[1] or match[2]
    }
    return tuple(column for column in columns if column.lower() in words)
