"""The shop's customers: a locust run beside the demonstration, and what it recorded."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from demo.command import DemoFailed
from loadtests.flips import record_flip

STOP_WITHIN_SECONDS = 30.0  # requests in flight finish long before; this only bounds a hang


@dataclass
class Customers:
    """Load against the proxy's address, started in the background and stopped when the journey is over."""

    host: str
    out: Path
    users: int
    seconds_at_most: int = 180
    _process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    def come(self) -> None:
        self.out.mkdir(parents=True, exist_ok=True)
        with (self.out / "locust.log").open("wb") as log:
            self._process = subprocess.Popen(
                [
                    *[sys.executable, "-m", "loadtests.run", "shop", "--host", self.host, "--users", str(self.users)],
                    *["--seconds", str(self.seconds_at_most), "--out", str(self.out), "--json"],
                ],
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def saw(self, capability: str, percent: float, version: int) -> None:
        """Note an applied flip beside the responses, so that stickiness can be judged afterwards."""
        record_flip(self.out, capability=capability, percent=percent, version=version)

    def responses(self) -> int:
        """How many responses have been recorded so far."""
        path = self.out / "responses.tsv"
        return sum(1 for _ in path.open("rb")) if path.exists() else 0

    def leave(self) -> dict[str, Any]:
        """Stop the load cleanly and return its result. Raises DemoFailed if it had ended before or left no result."""
        if self._process is None:
            raise DemoFailed("the load was never started", "")
        log = self.out / "locust.log"
        if self._process.poll() is not None:
            raise DemoFailed("the load ended before it was told to", log.read_text(errors="replace")[-3000:])
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(STOP_WITHIN_SECONDS)
        result = self.out / "result.json"
        if not result.exists():
            raise DemoFailed("the load left no result", log.read_text(errors="replace")[-3000:])
        answer: dict[str, Any] = json.loads(result.read_text())
        return answer

    def kill(self) -> None:
        """End the load whatever it is doing; does nothing if it has ended or never began."""
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait()
