"""What a run of a contract found."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class Difference:
    """A promise that does not hold (``side`` is legacy or new), or two answers that differ (``side`` is both)."""

    case: str
    side: str
    request: str
    path: str
    legacy: str
    new: str
    message: str


@dataclass
class Report:
    """``passed`` and ``failed`` count checks: each case on each side, and each request compared between the two.
    ``settled`` counts those that held only when asked again (rows were in flight)."""

    capability: str
    side: str
    passed: int = 0
    failed: int = 0
    settled: int = 0
    requests: int = 0
    seconds: float = 0.0
    differences: list[Difference] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        return self.failed == 0 and self.passed > 0

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    def text(self) -> str:
        """For a person: each difference, then one line of numbers."""
        lines = []
        for difference in self.differences:
            if difference.side == "both":
                lines.append(f"differs: {difference.request}")
                lines.append(f"    {difference.path}: legacy {difference.legacy}, new {difference.new}")
            else:
                lines.append(f"broken on {difference.side}: {difference.case}")
                lines.append(f"    {difference.message}")
        of = self.passed + self.failed
        sides = {"both": "both sides"}.get(self.side, f"the {self.side} side")
        settled = f", {self.settled} of them only when asked again" if self.settled else ""
        lines.append(
            f"{self.capability}: {self.passed:,} of {of:,} checks hold on {sides}{settled} "
            f"({self.requests:,} requests, {self.seconds:.1f} s)"
        )
        return "\n".join(lines)
