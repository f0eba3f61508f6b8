"""``strangler up`` and its sisters as a user runs them: exit codes, JSON keys, messages."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from strangler.cli.environment import table
from strangler.config import Ports, load
from strangler.dev.assemble import assemble
from strangler.dev.environment import Row
from strangler.dev.layout import Layout
from strangler.dev.ports import free_port
from strangler.dev.remains import end, remaining

Run = Callable[..., subprocess.CompletedProcess[str]]

TOML = """
[project]
name = "small"

[control]
listen = "127.0.0.1:{control}"

[databases.legacy]
server = "private"
schema = "shop"

[redis]
server = "private"

[processes.monolith]
command = "python -u -m http.server --bind 127.0.0.1 {{port}}"
ready = "/"
needs = ["databases.legacy", "redis"]

[processes.service]
before = ["python -c 'print(1 + 1)'"]
command = "python -u -m http.server --bind 127.0.0.1 {{port}}"
ready = "{ready}"

[legacy]
process = "monolith"
database = "legacy"

[capability.files]
process = "service"
routes = ["GET /files"]
"""


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Path]:
    """A folder with a strangler.toml; what it started is ended."""
    write(tmp_path)
    yield tmp_path
    layout = Layout(tmp_path / ".strangler")
    if layout.run.exists():
        end(remaining(layout), patience_seconds=20)


def write(folder: Path, control: int = 0, ready: str = "/") -> None:
    (folder / "strangler.toml").write_text(TOML.format(control=control, ready=ready))


@pytest.fixture
def run(project: Path) -> Run:
    def call(*arguments: str, folder: Path = project) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "strangler.cli", *arguments]
        return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, check=False)

    return call


@pytest.mark.real
def test_up_ps_logs_doctor_down(project: Path, run: Run) -> None:
    up = run("up", "--json")
    assert up.returncode == 0, up.stderr
    rows = {row["name"]: row for row in json.loads(up.stdout)["processes"]}
    assert set(rows) == {"db-legacy", "redis", "monolith", "service", "control", "standby", "envoy"}
    for name, row in rows.items():
        assert set(row) >= {"name", "state", "pid", "port", "log"}
        assert row["state"] == "running" and row["pid"] and row["port"], name
        assert Path(row["log"]).exists()
    assert httpx.get(f"http://127.0.0.1:{rows['envoy']['port']}/files", trust_env=False).status_code == 404
    ports = json.loads((project / ".strangler" / "run" / "ports.json").read_text())
    assert ports["envoy"]["listen"] == rows["envoy"]["port"]
    assert ports["processes"]["monolith"] == rows["monolith"]["port"]

    again = run("up")
    assert again.returncode == 0
    assert "was up" in again.stderr and "everything is up, 7 processes" in again.stdout
    assert {row["name"]: row["pid"] for row in json.loads(run("ps", "--json").stdout)["processes"]} == {
        name: row["pid"] for name, row in rows.items()
    }
    assert run("logs", "service", "--lines", "100").stdout.splitlines()[1] == "2"  # what `before` printed
    found = json.loads(run("doctor", "--json").stdout)
    assert found["ok"], found
    assert "databases.legacy" in {check["name"] for check in found["checks"]}

    down = run("down")
    assert down.returncode == 0, down.stderr
    assert down.stdout == "everything is stopped, nothing is left running\n"
    assert remaining(Layout(project / ".strangler")) == []
    assert {row["state"] for row in json.loads(run("ps", "--json").stdout)["processes"]} == {"stopped"}
    assert run("down").stdout == "nothing was running\n"
    assert assemble(load(project / "strangler.toml"), Layout(project / ".strangler"), None, print).ports == Ports.read(
        project / ".strangler" / "run"
    )
    assert json.loads((project / ".strangler" / "run" / "ports.json").read_text()) == ports


@pytest.mark.real
def test_a_process_that_is_never_ready_fails_up_and_leaves_nothing(project: Path, run: Run) -> None:
    write(project, ready="/nothing-here")
    text = (project / "strangler.toml").read_text()
    (project / "strangler.toml").write_text(
        text.replace('ready = "/nothing-here"', 'ready = "/nothing-here"\nready_timeout_seconds = 0.5')
    )
    up = run("up", "--json")
    assert up.returncode == 1
    assert up.stdout == ""
    assert "error: service was not ready" in up.stderr
    assert "/nothing-here: " in up.stderr
    assert remaining(Layout(project / ".strangler")) == []


@pytest.mark.real
def test_a_taken_port_is_refused_with_its_key(project: Path, run: Run) -> None:
    with socket.create_server(("127.0.0.1", free_port())) as listener:
        port = listener.getsockname()[1]
        write(project, control=port)
        up = run("up")
    assert up.returncode == 2
    assert f"error: control.listen: port {port} is taken by " in up.stderr
    assert remaining(Layout(project / ".strangler")) == []


def test_wrong_configuration_is_exit_2_with_file_and_line(project: Path, run: Run) -> None:
    text = (project / "strangler.toml").read_text()
    (project / "strangler.toml").write_text(text.replace("project]\nname", "project]\nnaem"))
    up = run("up")
    assert up.returncode == 2
    assert "strangler.toml:3" in up.stderr
    assert "Traceback" not in up.stderr
    doctor = run("doctor")
    assert doctor.returncode == 1
    assert "strangler.toml:3" in doctor.stdout


def test_outside_of_a_project(run: Run, tmp_path_factory: pytest.TempPathFactory) -> None:
    for command in ("up", "down", "ps", "logs"):
        said = run(command, folder=tmp_path_factory.mktemp("nowhere"))
        assert said.returncode == 2, command
        assert "no strangler.toml" in said.stderr


def test_before_the_first_up(run: Run) -> None:
    assert run("ps").stdout == "nothing was ever started here: strangler up\n"
    assert json.loads(run("ps", "--json").stdout) == {"processes": []}
    assert run("down").stdout == "nothing was running\n"


def test_an_unknown_process(run: Run) -> None:
    said = run("logs", "nosuch")
    assert said.returncode == 2
    assert "no process 'nosuch'" in said.stderr


def test_the_table_loses_the_log_on_a_narrow_terminal() -> None:
    rows = [
        Row("shop", "running", 12, 8080, "/x/shop.log", seconds=3_700),
        Row("jobs", "failed", None, None, "/x/jobs.log", None, 4, "exit status 1 at 12:00:00", ("no such table",)),
    ]
    wide, narrow = "\n".join(table(rows, 200)), "\n".join(table(rows, 80))
    assert "/x/shop.log" in wide and "/x/shop.log" not in narrow
    for text in (wide, narrow):
        assert "1 h 01 m" in text
        assert "jobs: exit status 1 at 12:00:00\n  no such table" in text
    assert all(len(line) <= 80 for line in narrow.splitlines())
