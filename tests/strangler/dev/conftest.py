"""Small real processes and an environment for them, taken down after each test."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from strangler.dev.environment import Environment, News
from strangler.dev.layout import Layout
from strangler.dev.ports import free_port
from strangler.dev.process import HttpReady, Process, StaysUp
from strangler.dev.remains import end, remaining

Web = Callable[..., Process]


class Heard(list[News]):
    """What ``up`` and ``down`` told."""

    def __call__(self, news: News) -> None:
        self.append(news)

    def names(self, what: str) -> list[str]:
        return [news.name for news in self if news.what == what]


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return Layout(tmp_path / ".strangler")


@pytest.fixture
def environment(layout: Layout, tmp_path: Path) -> Iterator[Environment]:
    made = Environment(layout, tmp_path)
    yield made
    if layout.run.exists():
        end(remaining(layout), patience_seconds=5)


@pytest.fixture
def web() -> Web:
    """``web("name", needs=...)``: a real HTTP server on a free port."""

    def make(name: str, port: int | None = None, **rest: object) -> Process:
        port = port or free_port()
        argv = (sys.executable, "-u", "-m", "http.server", "--bind", "127.0.0.1", str(port))
        return Process(name, argv, HttpReady((f"http://127.0.0.1:{port}/",)), port=port, **rest)  # type: ignore[arg-type]

    return make


@pytest.fixture
def says() -> Callable[..., Process]:
    """``says("name", "shell script")``: nothing to ask, only to stay up."""

    def make(name: str, script: str, **rest: object) -> Process:
        return Process(name, ("sh", "-c", script), StaysUp(), **rest)  # type: ignore[arg-type]

    return make
