"""Running a program whose answer is one JSON document."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import orjson

from strangler.cli.failure import wrong
from strangler.exits import Exit


def answer(module: str, arguments: list[str], *, cwd: Path) -> tuple[int, dict[str, Any]]:
    """Exit code and document of ``python -m module arguments --json``; its stderr goes through to the terminal.

    Raises Answered when it gave no document (its own words are on the terminal then).
    """
    command = [sys.executable, "-m", module, *arguments, "--json"]
    done = subprocess.run(command, cwd=cwd, stdout=subprocess.PIPE, check=False)
    try:
        document = orjson.loads(done.stdout)
    except orjson.JSONDecodeError:
        said = done.stdout.decode(errors="replace").strip().splitlines()[-3:]
        exit = Exit.USAGE if done.returncode == Exit.USAGE else Exit.FAILED
        raise wrong(f"{module} ended with exit status {done.returncode} and no result", exit, said) from None
    if not isinstance(document, dict):
        raise wrong(f"{module} gave no JSON object")
    return done.returncode, document
