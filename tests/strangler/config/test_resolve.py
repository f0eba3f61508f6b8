"""Placeholders, ports, and what is built from a configuration."""

from __future__ import annotations

import stat
import sys
from pathlib import Path

import pytest

from strangler.config import Config, ConfigError, NotRunning, Ports, load_text, resolve
from strangler.config.positions import Positions

TEXT = """
[project]
name = "shop"
[databases.legacy]
server = "private"
schema = "shop"
[databases.new]
url = "mysql://u:{env.SECRET}@h:1/new"
[processes.app]
before = ["python -m app.migrate"]
command = "python -m app --port {port} --literal {{x}} --name 'two words'"
env = { DB = "{databases.legacy.url}", SELF = "{processes.app.url}", STATE = "{state}/app" }
ready = "/health"
[legacy]
process = "app"
database = "legacy"
[capability.catalog]
url = "http://127.0.0.1:81"
database = "new"
timeout_ms = 500
routes = ["GET /a/{id}", { route = "POST /search", access = "read" }, { route = "PUT /a/{id}", idempotent = true }]
[capability.catalog.tables.items]
from = "goods"
key = { id = "id" }
columns = { title = "TRIM(name)" }
where = "deleted = 0"
back = { id = "id", name = "title" }
"""


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return load_text(TEXT, tmp_path / "strangler.toml")


def test_a_command_is_filled(config: Config) -> None:
    ports = Ports(processes={"app": 8000}, databases={"legacy": "mysql+pymysql://r:x@127.0.0.1:3307/shop"})
    resolved = resolve(config, ports)
    command = resolved.command("app")
    assert command.argv == (sys.executable, "-m", "app", "--port", "8000", "--literal", "{x}", "--name", "two words")
    assert command.before == ((sys.executable, "-m", "app.migrate"),)
    assert command.env == {
        "DB": "mysql+pymysql://r:x@127.0.0.1:3307/shop",
        "SELF": "http://127.0.0.1:8000",
        "STATE": f"{config.root}/.strangler/state/app",
    }
    assert command.ready_url == "http://127.0.0.1:8000/health"
    assert resolved.legacy_database.port == 3307


def test_what_does_not_run_has_no_address(config: Config) -> None:
    with pytest.raises(NotRunning, match="process app has no address yet: start it with strangler up"):
        resolve(config, Ports()).command("app")
    with pytest.raises(NotRunning, match="database legacy"):
        _ = resolve(config, Ports()).legacy_database


def test_a_secret_comes_from_the_environment(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SECRET", raising=False)
    with pytest.raises(NotRunning, match="environment variable SECRET"):
        resolve(config, Ports()).database("new")
    monkeypatch.setenv("SECRET", "s3")
    assert resolve(config, Ports()).database("new").password == "s3"


def test_routes_and_mapping_are_built(config: Config) -> None:
    resolved = resolve(config, Ports(processes={"app": 8000}))
    table = resolved.route_table
    assert [(r.name, r.access, r.idempotent) for r in table.routes] == [
        ("GET /a/{id}", "read", False),
        ("POST /search", "read", False),
        ("PUT /a/{id}", "write", True),
    ]
    assert table.legacy.addresses == (("127.0.0.1", 8000),)
    assert (table.new["catalog"].addresses, table.new["catalog"].timeout_ms) == ((("127.0.0.1", 81),), 500)
    (items,) = resolved.mapping("catalog").tables
    assert (items.table, items.source, items.where) == ("items", "goods", "deleted = 0")
    assert items.expressions == {"id": "id", "title": "TRIM(name)"}


def test_ports_are_kept_from_others(config: Config) -> None:
    ports = Ports.model_validate({"processes": {"app": 1}, "control": {"api": 2, "xds": 3}, "later": {"x": 1}})
    ports.write(config.run)
    assert Ports.read(config.run) == ports
    assert stat.S_IMODE((config.run / "ports.json").stat().st_mode) == 0o600


def test_the_projects_own_file_is_right() -> None:
    path = Path(__file__).parents[3] / "strangler.toml"
    try:
        config = load_text(path.read_text(), path)
    except ConfigError as error:
        pytest.fail(str(error))
    assert "catalog" in config.capabilities


def test_positions_of_odd_toml() -> None:
    text = """\
top = 1
a.b = { c = [1, # a comment
  { d = 2 } ] }
[x."y z"]  # quoted
k = '''
two
lines'''
after = 1
[[list]]
n = 1
[[list]]
n = 2
"""
    positions = Positions.of(text)
    found = {
        ("top",): 1,
        ("a", "b", "c", 1, "d"): 3,
        ("x", "y z", "k"): 5,
        ("x", "y z", "after"): 8,
        ("list", 1, "n"): 12,
        ("list", 1, "missing"): 11,
        ("nowhere",): 1,
    }
    assert {key: positions.line(key) for key in found} == found
