"""``strangler up``, ``down``, ``ps``, ``logs``, ``doctor``: they talk to the supervisor, not to the API."""

from __future__ import annotations

import json
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from rich.console import Console

from strangler.config import ConfigError, Ports, find, load
from strangler.config.ports import PortsError
from strangler.config.resolve import NotRunning
from strangler.dev.assemble import assemble
from strangler.dev.cache import CacheError
from strangler.dev.doctor import Check, examine
from strangler.dev.environment import Busy, Environment, News, ProcessFailed, Row
from strangler.dev.layout import Layout, LayoutError
from strangler.dev.manifest import load as known
from strangler.dev.plan import PlanError
from strangler.dev.ports import PortTaken
from strangler.dev.server import ServerError
from strangler.dev.supervisor import SupervisorError

WRONG = (ConfigError, PlanError, PortTaken)
FAILED = (ProcessFailed, ServerError, SupervisorError, CacheError, LayoutError, PortsError, NotRunning)

JSON = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of text.")]
PATIENCE_SECONDS = 0.2


class Server(StrEnum):
    mysql = "mysql"
    mariadb = "mariadb"


class Hosting(StrEnum):
    embedded = "embedded"
    kafka = "kafka"


def register(app: typer.Typer) -> None:
    """Add the commands to the ``strangler`` app."""
    app.command()(up)
    app.command()(down)
    app.command()(ps)
    app.command()(logs)
    app.command()(doctor)


def up(
    cdc: Annotated[
        Hosting | None, typer.Option(help="How change streams are hosted: by what strangler.toml says, if left out.")
    ] = None,
    server: Annotated[Server | None, typer.Option(help="Which private database server a new one is.")] = None,
    as_json: JSON = False,
) -> None:
    """Start everything in strangler.toml on this machine; what runs already is kept."""
    with _exit_codes():
        begin = time.monotonic()
        config = load()
        layout = Layout.beside(config.path)
        say = _Lines(layout)
        assembled = assemble(config, layout, server.value if server else None, say.note, cdc.value if cdc else None)
        environment = Environment(layout, config.root)
        environment.up(assembled.processes, say.tell)
        rows = environment.ps()
    if as_json:
        _print_json({"processes": [_row_json(row) for row in rows], "seconds": round(time.monotonic() - begin, 3)})
        return
    print(f"\neverything is up, {len(rows)} processes, {time.monotonic() - begin:.1f} s")
    for title, url in _addresses(assembled.ports):
        print(f"  {title:<22} {url}")
    print("  strangler status       where things stand now")


def down(as_json: JSON = False) -> None:
    """Stop everything; nothing is left running. Data stays."""
    with _exit_codes():
        layout = Layout.beside(find())
        say = _Lines(layout)
        count = Environment(layout, layout.root.parent).down(say.tell)
        rows = Environment(layout, layout.root.parent).ps()
    if as_json:
        _print_json({"processes": [_row_json(row) for row in rows], "stopped": count})
    else:
        print("everything is stopped, nothing is left running" if count else "nothing was running")


def ps(as_json: JSON = False) -> None:
    """Show what runs, and who died of what."""
    with _exit_codes():
        layout = Layout.beside(find())
        rows = Environment(layout, layout.root.parent).ps()
    if as_json:
        _print_json({"processes": [_row_json(row) for row in rows]})
        return
    if not rows:
        print("nothing was ever started here: strangler up")
        return
    for line in table(rows, shutil.get_terminal_size().columns):
        print(line)


def logs(
    names: Annotated[list[str] | None, typer.Argument(help="Processes; all if none is given.")] = None,
    lines: Annotated[int, typer.Option("--lines", "-n", min=0, help="How many lines from the end.")] = 20,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until Ctrl-C.")] = False,
    as_json: JSON = False,
) -> None:
    """Print the end of each process' log."""
    with _exit_codes():
        layout = Layout.beside(find())
        there = [*(entry.name for entry in known(layout) if not entry.external), "supervisor"]
        for name in names or ():
            if name not in there:
                _stop(f"no process {name!r}; there are: {', '.join(there)}", 2)
        files = {name: layout.log(name) for name in names or there if names or layout.log(name).exists()}
        ends = {name: _tail(file, lines) for name, file in files.items()}
    if as_json:
        _print_json({"logs": [{"name": n, "log": str(files[n]), "lines": end} for n, end in ends.items()]})
        return
    width = max((len(name) for name in ends), default=0) if len(ends) > 1 else 0
    for name, end in ends.items():
        for line in end:
            _print_log_line(name, line, width)
    if follow:
        _follow(files, width)


def doctor(as_json: JSON = False) -> None:
    """Say what is missing or wrong here, and how to get it."""
    checks: list[Check] = []
    with _exit_codes():
        for check in examine(load):
            checks.append(check)
            if not as_json:
                sign = {"ok": "✓", "missing": "-", "wrong": "✗"}[check.state]
                print(f"  {sign} {check.name:<18} {check.found}")
                if check.fix:
                    print(f"    {'':<18} {check.fix}")
        rows = _rows_if_any()
    wrong = sum(check.state == "wrong" for check in checks)
    if as_json:
        found = {"checks": [asdict(check) for check in checks], "processes": [_row_json(row) for row in rows]}
        _print_json({**found, "ok": wrong == 0})
    else:
        print("\nnothing is wrong" if not wrong else f"\n{wrong} wrong")
    if wrong:
        raise typer.Exit(1)


def table(rows: list[Row], columns: int) -> Iterator[str]:
    """The lines of ``ps``; a narrow terminal loses the log's path."""
    name = max(len(row.name) for row in rows)
    wide = columns >= name + 78
    yield f"{'PROCESS':<{name}}  {'STATE':<9} {'PID':>8} {'PORT':>6}  {'FOR':>8}  {'LOG' if wide else ''}".rstrip()
    for row in rows:
        since = _duration(row.seconds) if row.seconds is not None else "-"
        line = f"{row.name:<{name}}  {row.state:<9} {row.pid or '-':>8} {row.port or '-':>6}  {since:>8}"
        yield f"{line}  {_relative(row.log)}".rstrip() if wide else line
    for row in rows:
        if row.last_exit:
            again = f", started again ({row.restarts} in all)" if row.state == "running" else ""
            yield f"\n{row.name}: {row.last_exit}{again}"
        elif row.last_lines:
            yield f"\n{row.name}: its last lines"
        for text in row.last_lines:
            yield f"  {text}"
    if any(row.state == "orphaned" for row in rows):
        yield "\nthe supervisor is gone: strangler up brings everything back, strangler down ends the rest"


class _Lines:
    """News as lines on stderr, so that --json stays alone on stdout; while work goes on, a terminal shows at what."""

    def __init__(self, layout: Layout) -> None:
        self._console = Console(stderr=True, highlight=False)
        self._width = max((len(entry.name) for entry in known(layout)), default=14)

    def note(self, line: str) -> None:
        self._console.print(line, soft_wrap=True, markup=False)

    def tell(self, news: News) -> None:
        match news.what:
            case "ready":
                self.note(f"  ✓ {news.name:<{self._width}}  {news.detail:<40} {news.seconds:6.1f} s".rstrip())
            case "kept":
                self.note(f"  ✓ {news.name:<{self._width}}  {news.detail:<40} was up".rstrip())
            case "stopped":
                self.note(f"  - {news.name:<{self._width}}  {news.detail or 'stopped'}")
            case "note":
                self.note(f"  {news.detail}")


@contextmanager
def _exit_codes() -> Iterator[None]:
    """Errors in words on stderr, with the exit codes that hold for every command."""
    try:
        yield
    except WRONG as error:
        _stop(str(error), 2, error)
    except Busy as error:
        _stop(str(error), 4, error)
    except FAILED as error:
        _stop(str(error), 1, error)
    except KeyboardInterrupt as error:
        _stop("interrupted; what this command had started was stopped again", 1, error)


def _stop(message: str, code: int, cause: BaseException | None = None) -> NoReturn:
    print(f"error: {message}", file=sys.stderr)
    raise typer.Exit(code) from cause


def _print_json(content: dict[str, Any]) -> None:
    print(json.dumps(content, indent=2, ensure_ascii=False))


def _row_json(row: Row) -> dict[str, Any]:
    return asdict(row)


def _rows_if_any() -> list[Row]:
    try:
        layout = Layout.beside(find())
    except ConfigError:
        return []
    return Environment(layout, layout.root.parent).ps()


def _addresses(ports: Ports) -> Iterator[tuple[str, str]]:
    if ports.envoy:
        yield "the application", f"http://127.0.0.1:{ports.envoy.listen}"
    if ports.control:
        yield "control plane", f"http://127.0.0.1:{ports.control.api}"


def _duration(seconds: int) -> str:
    if seconds < 60:
        return f"{seconds} s"
    if seconds < 3_600:
        return f"{seconds // 60} min"
    return f"{seconds // 3_600} h {seconds % 3_600 // 60:02} m"


def _relative(log: str) -> str:
    path = Path(log)
    return str(path.relative_to(Path.cwd())) if log and path.is_relative_to(Path.cwd()) else log


def _tail(file: Path, count: int) -> list[str]:
    if not file.exists() or not count:
        return []
    with file.open("rb") as opened:
        opened.seek(max(0, file.stat().st_size - 1_000 * count - 10_000))
        return opened.read().decode(errors="replace").splitlines()[-count:]


def _print_log_line(name: str, line: str, width: int) -> None:
    print(f"{name:<{width}} | {line}" if width else line, flush=True)


def _size(file: Path) -> int:
    return file.stat().st_size if file.exists() else 0


def _follow(files: dict[str, Path], width: int) -> None:
    at = {name: _size(file) for name, file in files.items()}
    try:
        while True:
            for name, file in files.items():
                size = _size(file)
                if size < at[name]:  # rotated
                    at[name] = 0
                if size > at[name]:
                    with file.open("rb") as opened:
                        opened.seek(at[name])
                        new = opened.read()
                    whole = new.rfind(b"\n") + 1
                    at[name] += whole
                    for line in new[:whole].decode(errors="replace").splitlines():
                        _print_log_line(name, line, width)
            time.sleep(PATIENCE_SECONDS)
    except KeyboardInterrupt:
        return
