"""Comparing rows of the two sides through a mapping.

Words: a *chunk* is a range of keys, small enough to checksum in one statement; a *bucket* is all keys with one hash,
where ranges of the two sides don't match; a *digest* is the checksum of one row in its *canonical form*, in which equal
values have equal text whatever type or server holds them; *narrowing* goes from a chunk that differs to its keys;
a *mark* says how far the comparison of a table is, so that it goes on there; *hot* rows are those that changed lately;
*settling* rechecks a key until the stream has applied what was written, so that rows in flight are never reported;
*repair* writes the owner's value for keys found different.

This package never decides who owns a table, and writes nothing unless a repair is asked for.
"""

from cdc.verify.capability import verify_capability, verify_changed
from cdc.verify.errors import Interrupted, NotSettled, VerifyError
from cdc.verify.mark import Mark, Marks
from cdc.verify.pace import Limits
from cdc.verify.result import Cell, Difference, Progress, TableResult, VerifyResult
from cdc.verify.settle import Settle

__all__ = [
    "Cell",
    "Difference",
    "Interrupted",
    "Limits",
    "Mark",
    "Marks",
    "NotSettled",
    "Progress",
    "Settle",
    "TableResult",
    "VerifyError",
    "VerifyResult",
    "verify_capability",
    "verify_changed",
]
