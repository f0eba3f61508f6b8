"""Copies that are late: a log-in, an address, an item that the monolith has and we do not have yet."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from extracted.purchasing.web.errors import ApiError

T = TypeVar("T")

PAUSE_SECONDS = 0.02


class Missing(Exception):
    """Our copy does not have it. ``exists`` asks the monolith (it blocks, so it runs outside of transactions), or says
    None where the monolith can't be asked; ``error`` is what the caller gets if it is really not there."""

    def __init__(self, error: ApiError, exists: Callable[[], bool | None]) -> None:
        super().__init__(error.message)
        self.error, self.exists = error, exists


def wait_for_copies(work: Callable[[], T], patience_seconds: float) -> T:
    """``work``, again and again while it raises Missing for what the monolith says it has.

    ``work`` must have done nothing when it raises. Raises the ApiError of what does not exist, at once or, where nobody
    can say, when ``patience_seconds`` are over; then also 503 for what exists and has not come.
    """
    deadline = time.monotonic() + patience_seconds
    asked: dict[str, bool | None] = {}
    while True:
        try:
            return work()
        except Missing as missing:
            what = missing.error.message
            if what not in asked:
                asked[what] = missing.exists()
            late = time.monotonic() > deadline
            if asked[what] is False or (late and asked[what] is None):
                raise missing.error from None
            if late:
                raise ApiError(503, "late", f"not here yet ({what}), try again") from missing
            time.sleep(PAUSE_SECONDS)
