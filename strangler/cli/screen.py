"""Where text goes. On a terminal: colour and the terminal's width. Piped: the same words, no colour, no redraws."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Any

import orjson
from rich.console import Console
from rich.text import Text

from strangler.cli.grid import Column, Row, fitted

_PIPED_WIDTH = 400  # a pipe has no edge: nothing is left out
_STYLES = {"canary": "yellow", "reads": "green", "synced": "cyan", "legacy": "dim", "writes": "green bold"}


class Screen:
    """Results go to stdout, errors to stderr."""

    def __init__(self, out: Console | None = None, err: Console | None = None) -> None:
        self.out = out or _console(stderr=False)
        self.err = err or _console(stderr=True)

    @property
    def live(self) -> bool:
        """Whether lines may be redrawn."""
        return self.out.is_terminal

    def line(self, text: str = "", style: str = "") -> None:
        self.out.print(Text(text, style=style), soft_wrap=True)

    def error(self, text: str) -> None:
        style = "bold red" if text.startswith(("error:", "refused:")) else ""
        self.err.print(Text(text, style=style), soft_wrap=True)

    def grid(self, columns: Sequence[Column], rows: Sequence[Row], *, indent: int = 0) -> None:
        """Columns that don't fit are left out, from the right."""
        pad = " " * indent
        header, *lines = fitted(columns, rows, self.out.width - indent)
        self.line(pad + header, style="bold")
        for line in lines:
            text = Text(pad + line)
            for phase, style in _STYLES.items():
                text.highlight_words([f" {phase} "], style)
            self.out.print(text, soft_wrap=True)


def _console(*, stderr: bool) -> Console:
    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() or "COLUMNS" in os.environ else _PIPED_WIDTH
    return Console(stderr=stderr, width=width, highlight=False, markup=False, emoji=False)


def print_json(document: Any) -> None:
    sys.stdout.write(orjson.dumps(document, default=str, option=orjson.OPT_INDENT_2).decode() + "\n")
    sys.stdout.flush()
