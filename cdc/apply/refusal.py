"""What a refused change means: its row is to blame, or the table, the mapping, the server."""

from __future__ import annotations

import pymysql

from cdc.apply.reduce import MissingKey
from cdc.apply.stage import StagingError
from cdc.apply.text import MissingColumn
from cdc.event import Change

REFUSALS = (pymysql.err.MySQLError, StagingError, MissingColumn, MissingKey, TypeError)

# Another row is in the way, or missing: duplicate keys, foreign keys. Applied after other rows, the same may go.
_RELATIONAL = frozenset({1022, 1062, 1169, 1216, 1217, 1451, 1452, 1586})
# Raised by a trigger on purpose. The fence of ownership does so too, in words that begin with its own name.
SIGNALLED, FENCE = 1644, "strangler:"
# The values themselves: NULL, too long, out of range, cut short, no such partition, a CHECK (MySQL, MariaDB), a row too
# large for a page, a lookup with two answers, text, dates, JSON and shapes that a function or a cast can't read.
_VALUES = frozenset(
    {
        *(1048, 1118, 1242, 1264, 1265, 1292, 1300, 1365, 1366, 1367, 1406, 1411, 1416, 1441, 1526, 1690),
        *(1918, 1977, 3037, 3140, 3141, 3144, 3146, 3147, 3156, 3157, 3158, 3617, 3819, 3854, 4025),
    }
)


class Refused(Exception):
    """The target, or the mapping, does not take an event, and it can't be set aside. Nothing of its batch was
    committed. ``way_out``: what to do, where that is known better than from the cause."""

    def __init__(
        self, change: Change, key: tuple[str, ...], cause: Exception, words: str = "", way_out: str | None = None
    ) -> None:
        arguments = cause.args
        super().__init__(words or str(arguments[-1] if arguments else cause))
        self.change, self.key, self.cause, self.way_out = change, key, cause, way_out


def of_the_row(error: BaseException) -> bool:
    """Whether the row's own values are refused, so that other rows may go on without it.

    What every row would meet is not: a missing table, column or right, a generated column, a full disk, a server that
    only reads, a lost connection, the fence of ownership.
    """
    number = _number(error)
    if number == SIGNALLED:
        return not str(error.args[-1]).startswith(FENCE)
    return isinstance(error, StagingError) or number in _VALUES | _RELATIONAL


def of_other_rows(error: BaseException) -> bool:
    """Whether the refusal may go away by what becomes of other rows."""
    return _number(error) in _RELATIONAL


def _number(error: BaseException) -> int | None:
    if isinstance(error, pymysql.err.MySQLError) and error.args and isinstance(error.args[0], int):
        return error.args[0]
    return None
