"""Flips: applied changes of a capability's percent, noted beside the records of the traffic they were made under.

``python -m loadtests.flips OUT --capability catalog --percent 40 --version 12`` notes one.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

FILE = "flips.jsonl"


@dataclass(frozen=True)
class Flip:
    """From ``version`` of the proxy's routes on, ``percent`` of the users go to the new side for the capability."""

    at_ms: int
    capability: str
    percent: float
    version: int
    took_ms: float | None = None


def record_flip(
    folder: Path | str, capability: str, percent: float, version: int, took_ms: float | None = None
) -> Flip:
    """Note an applied flip in the run's folder. Call it once the proxies have applied it."""
    flip = Flip(int(time.time() * 1000), capability, float(percent), int(version), took_ms)
    path = Path(folder) / FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(asdict(flip)) + "\n")
    return flip


def read(folder: Path) -> list[Flip]:
    """All flips by version; none if there is no file."""
    path = folder / FILE
    if not path.exists():
        return []
    flips = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        try:
            flips.append(Flip(**json.loads(line)))
        except (ValueError, TypeError) as error:
            raise ValueError(f"{path}:{number}: not a flip: {error}") from error
    return sorted(flips, key=lambda flip: flip.version)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m loadtests.flips", description="Note one applied flip.")
    parser.add_argument("out", type=Path, help="the run's folder")
    parser.add_argument("--capability", required=True)
    parser.add_argument("--percent", type=float, required=True)
    parser.add_argument("--version", type=int, required=True)
    options = parser.parse_args(arguments)
    record_flip(options.out, options.capability, options.percent, options.version)
    return 0


if __name__ == "__main__":
    sys.exit(main())
