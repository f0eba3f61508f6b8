"""What is wrong with a configuration file, said so that a person can mend it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass

CLOSE = 0.6  # difflib's ratio from which on a word is taken for a misspelling


@dataclass(frozen=True)
class Problem:
    """One thing wrong. ``line`` is 1-based, None when the file couldn't be read; ``key`` is dotted, "" for the file."""

    file: str
    line: int | None
    key: str
    message: str
    fix: str = ""

    def __str__(self) -> str:
        place = self.file if self.line is None else f"{self.file}:{self.line}"
        head = f"{place}: {self.key}" if self.key else place
        return "\n".join([head, f"  {self.message}", *([f"  {self.fix}"] if self.fix else [])])


class ConfigError(Exception):
    """The file can't be used. ``problems`` holds every one that was found, in the file's order. Exit code 2."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(problems, key=lambda p: p.line or 0))
        super().__init__("\n".join(str(p) for p in self.problems))


def nearest(word: str, known: Iterable[str]) -> str:
    """``did you mean 'x'?`` for the nearest spelling, or the list of what is known, or ``""`` when nothing is."""
    words = sorted(str(k) for k in known)
    close = difflib.get_close_matches(word, words, n=1, cutoff=CLOSE)
    if close:
        return f"did you mean {close[0]!r}?"
    return "known are: " + ", ".join(words) if words else ""
