"""Progress of long work: a bar on a terminal, plain lines where output is piped. Always on stderr."""

from __future__ import annotations

import sys
import threading
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, TextColumn, TimeRemainingColumn, TransferSpeedColumn
from rich.progress import Progress as Bar


class Progress:
    """Bytes done of a known total; ``advance`` may be called from several threads."""

    def __init__(self, title: str, total: int, console: Console | None = None) -> None:
        self._console = console or Console(stderr=True)
        self._title = title
        self._total = total
        self._done = 0
        self._lock = threading.Lock()
        self._bar: Bar | None = None
        self._said = 0

    def __enter__(self) -> Progress:
        if self._console.is_terminal:
            columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
            self._bar = Bar(*columns, TimeRemainingColumn(), console=self._console)
            self._task = self._bar.add_task(self._title, total=self._total)
            self._bar.start()
        else:
            self._say(f"{self._title}: {self._total / 1e6:,.0f} MB")
        return self

    def advance(self, size: int) -> None:
        if self._bar:
            self._bar.advance(self._task, size)
            return
        with self._lock:
            self._done += size
            quarter = 4 * self._done // max(1, self._total)
            if quarter > self._said:
                self._said = quarter
                self._say(f"{self._title}: {self._done / 1e6:,.0f} of {self._total / 1e6:,.0f} MB")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar:
            self._bar.stop()

    @staticmethod
    def _say(line: str) -> None:
        print(line, file=sys.stderr, flush=True)
