"""What Kafka's client said while it tried: its errors hide why no broker could be had, its log does not."""

from __future__ import annotations

import logging
import re
import time
from collections import deque

_KEPT = 40
_WHY = re.compile(r"(?:Connection lost|Abort|failed): ?\(?(.*?)\)?$")


class _Heard(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.said: deque[tuple[float, str]] = deque(maxlen=_KEPT)

    def emit(self, record: logging.LogRecord) -> None:
        self.said.append((time.monotonic(), record.getMessage()))


_heard = _Heard()
logging.getLogger("kafka.net").addHandler(_heard)


def said_since(began: float) -> list[str]:
    """Why connections were lost since then (monotonic seconds), each once, in order."""
    found: dict[str, None] = {}
    for when, message in list(_heard.said):
        if when >= began and (why := _WHY.search(message)):
            found[why[1]] = None
    return list(found)
