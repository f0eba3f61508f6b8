"""Values of the envelope that can't be taken at their word, because the engine says the same of different values.

Seen with Debezium 3.5.0 and its binlog client: a zero date is NULL, or the column's default, or 1970-01-01; a byte
without a letter in Java's idea of a character set is U+FFFD; some character sets are read as others; a UUID of MariaDB
loses its last two bytes; in JSON of MySQL large numbers, times and bytes are written otherwise. Such values are read
again at the source (``cdc.second_look``).

Pure.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from cdc.schema import Column

LOST = "\ufffd"
# So many digits may be a double (the server writes them with an exponent from 1e15 on), a string of digits and colons a
# time, one that could be base64 bytes. (Keys are left out: the engine puts the colon right behind them.)
_B64 = "[A-Za-z0-9+/]"
_BENT = re.compile(rf'\d{{16}}|"[\d .-]+:[\d :.-]*"|"(?:{_B64}{{4}})*(?:{_B64}{{4}}|{_B64}{{3}}=|{_B64}{{2}}==)"(?!:)')
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Reason(StrEnum):
    """Why a column's values may be doubtful."""

    ZERO = "zero"  # a date that may be none
    LETTER = "letter"  # a letter that Java does not know
    CHARSET = "charset"  # a character set that Java reads otherwise: bytes travel instead, as hexadecimal digits
    DOCUMENT = "document"  # JSON of MySQL where the engine may write it otherwise: large numbers, times, bytes
    ALWAYS = "always"


@dataclass(frozen=True)
class Doubt:
    """``select`` makes, of ``{c}`` at the source, the text that stands in for the value; NULL: it may stand as it is.
    ``alike`` are numbers of the envelope that may stand for a zero date."""

    reason: Reason
    select: str
    alike: frozenset[int] = frozenset()
    ascii: bool = True  # whether bytes below 128 are the letters that they are in ASCII

    def about(self, value: Any) -> bool:
        """Whether this value has to be read again."""
        if self.reason is Reason.ZERO:
            return value is None or value in self.alike
        if value is None:
            return False
        if self.reason is Reason.LETTER:
            return LOST in value
        if self.reason is Reason.DOCUMENT:
            return _BENT.search(value) is not None
        return self.reason is Reason.ALWAYS or not (self.ascii and value.isascii())

    def plain(self, value: Any) -> Any:
        """A value that is not doubtful, as the column's conversion takes it."""
        return value.encode().hex() if self.reason is Reason.CHARSET and value is not None else value

    def old(self, value: Any) -> Any:
        """A value of an old image, of which only keys are used, and those are never doubtful."""
        if self.reason is Reason.ZERO or not self.about(value):
            return self.plain(value)
        return None


def of_dates(column: Column) -> Doubt:
    """Of a DATE or DATETIME that may hold zero dates."""
    select = "IF(CONCAT({c}) REGEXP '^0000|-00', CONCAT({c}), NULL)"
    return Doubt(Reason.ZERO, select, frozenset() if column.nullable else frozenset({0, _default(column)}))


def _default(column: Column) -> int:
    """The envelope's number for the column's default, which stands for a zero date where NULL is not allowed."""
    try:
        moment = datetime.fromisoformat((column.default or "").strip("'")).replace(tzinfo=UTC)
    except ValueError:
        return 0
    if column.type == "date":
        return (moment - _EPOCH).days
    return (moment - _EPOCH) // timedelta(microseconds=1 if (column.precision or 0) > 3 else 1000)
