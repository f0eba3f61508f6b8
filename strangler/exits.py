"""Exit codes, and the errors that lead to them: the one place where both are decided.

Errors are grouped by what the caller does about them. ``answer`` turns each into what the API says; the command line
exits with the same number.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from typing import Any


class Exit(IntEnum):
    DONE = 0
    FAILED = 1  # it didn't work; everything is as before unless the message says otherwise
    USAGE = 2  # wrong usage or configuration: correct the command or the file
    REFUSED = 3  # a gate refused it: bring what it asks for
    BUSY = 4  # another operation holds the lock: wait


class StranglerError(Exception):
    """``message`` is one sentence; ``reasons`` are further lines, each readable by itself."""

    exit = Exit.FAILED
    status = 500  # HTTP

    def __init__(self, message: str, reasons: Sequence[str] = (), **details: Any) -> None:
        super().__init__(message)
        self.message = message
        self.reasons = tuple(reasons)
        self.details = details

    def answer(self) -> dict[str, Any]:
        """The body of an error answer, and the last line of a stream that failed."""
        return {
            **self.details,
            "event": "error",
            "error": self.message,
            "exit": int(self.exit),
            "reasons": list(self.reasons),
        }


class Failed(StranglerError):
    """Something outside didn't do its part: a proxy, a stream, a database."""

    status = 502


class Usage(StranglerError):
    """The request can't be meant like this."""

    exit = Exit.USAGE
    status = 422


class Refused(StranglerError):
    """Understood, possible, and not allowed now."""

    exit = Exit.REFUSED
    status = 409


class Busy(StranglerError):
    """Another operation is at work on the same capability."""

    exit = Exit.BUSY
    status = 423
