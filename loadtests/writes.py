"""The client's own book of writes: ``ledger.jsonl``, one line per write that was acknowledged, or may have happened."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

FILE = "ledger.jsonl"
SYNC_EVERY = 64


@dataclass(frozen=True)
class Write:
    """One write. ``kind``: see ``ledger.py``. ``key`` names the write for the client (an idempotency key, a unique
    text), ``entity`` is what the shop called it (an id). ``acknowledged`` False: no answer came, or an error that says
    nothing of whether it happened."""

    at_ms: int
    kind: str
    user: int
    key: str
    entity: str
    acknowledged: bool = True
    data: dict[str, Any] = field(default_factory=dict)


class WriteBook:
    """Appends writes: in the file before ``note`` returns, synced to disk in batches and by ``close``."""

    def __init__(self, folder: Path) -> None:
        self._file = os.open(folder / FILE, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        self._unsynced = 0

    def note(self, write: Write) -> None:
        os.write(self._file, json.dumps(asdict(write), separators=(",", ":")).encode() + b"\n")
        self._unsynced += 1
        if self._unsynced >= SYNC_EVERY:
            self.sync()

    def sync(self) -> None:
        if self._unsynced:
            os.fsync(self._file)
            self._unsynced = 0

    def close(self) -> None:
        self.sync()
        os.close(self._file)


def read(folder: Path) -> Iterator[Write]:
    """All writes in the order they were noted. Raises FileNotFoundError, and ValueError naming a damaged line."""
    with (folder / FILE).open(encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            try:
                yield Write(**json.loads(line))
            except (ValueError, TypeError) as error:
                if not line.endswith("\n"):
                    return  # cut short: the run was killed in the middle of the line
                raise ValueError(f"{folder / FILE}:{number}: not a write: {error}") from error
