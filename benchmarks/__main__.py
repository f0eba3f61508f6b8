"""`make bench`: every benchmark in turn, each in a process of its own; exit status 1 if one of them missed its target.

``python -m benchmarks flip verify`` runs only the named ones.
"""

from __future__ import annotations

import subprocess
import sys

BENCHMARKS = ("copy", "flip", "memory", "proxy", "streams", "verify")


def main(names: list[str]) -> int:
    unknown = [name for name in names if name not in BENCHMARKS]
    if unknown:
        print(f"error: no benchmark {unknown[0]!r}; there are: {', '.join(BENCHMARKS)}", file=sys.stderr)
        return 2
    missed = []
    for name in names or BENCHMARKS:
        print(f"\n== {name}", flush=True)
        if subprocess.run([sys.executable, "-m", f"benchmarks.{name}"]).returncode != 0:
            missed.append(name)
    print(f"\nmissed a target or failed: {', '.join(missed)}" if missed else "\nevery target was met")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
