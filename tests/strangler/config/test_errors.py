"""Every mistake is named with its line, its key and a way out."""

from __future__ import annotations

from pathlib import Path

import pytest

from strangler.config import ConfigError, load, load_text

GOOD = """\
[project]
name = "shop"

[control]
listen = "127.0.0.1:0"
state = "sqlite"

[proxy]
listen = "127.0.0.1:0"
identity = { cookie = "uid", issue = true }

[databases.legacy]
server = "private"
schema = "shop"

[databases.catalog]
url = "mysql://u:p@127.0.0.1:3306/catalog"

[processes.monolith]
command = "gunicorn --bind 127.0.0.1:{port} app"
env = { DB = "{databases.legacy.url}" }
ready = "/health"
needs = ["databases.legacy"]

[legacy]
process = "monolith"
database = "legacy"

[capability.catalog]
url = "http://127.0.0.1:8080"
database = "catalog"
routes = [
    "GET /api/items",
    "GET /api/items/{id}",
]

[capability.catalog.tables.brands]
from = "brands"
key = { id = "id" }
[capability.catalog.tables.brands.columns]
name = "TRIM(name)"

[capability.catalog.gates]
canary = { max_lag_seconds = 5.0 }
"""

CASES = [
    # what is replaced, by what, line, key, words
    ('name = "shop"', 'nmae = "shop"', 2, "project.nmae", ["unknown key 'nmae'", "did you mean 'name'?"]),
    ('name = "shop"', 'name = "a b"', 2, "project.name", ["letters, digits"]),
    ('name = "shop"', "name = 3", 2, "project.name", ["must be a text in quotes, not 3"]),
    ('name = "shop"', 'name = "shop', 2, "", ["not TOML"]),
    ("[control]", "[contorl]", 4, "contorl", ["did you mean 'control'?"]),
    ('state = "sqlite"', 'state = "postgres://x"', 6, "control.state", ["mysql://"]),
    ('listen = "127.0.0.1:0"\nstate', 'listen = "0.0.0.0:0"\nstate', 5, "control.listen", ["loopback only"]),
    ('listen = "127.0.0.1:0"\nstate', 'listen = "8080"\nstate', 5, "control.listen", ["host:port"]),
    ("issue = true", 'issue = "yes"', 10, "proxy.identity.issue", ["must be true or false"]),
    ('{ cookie = "uid", issue', '{ header = "x-user", issue', 10, "proxy.identity.issue", ["only a cookie"]),
    ('cookie = "uid", issue = true', 'cookie = "uid", header = "h"', 10, "proxy.identity", ["exactly one"]),
    ('server = "private"', 'server = "mine"', 13, "databases.legacy.server", ["'private'"]),
    ('schema = "shop"\n', "", 12, "databases.legacy", ["needs the name of a schema"]),
    ('url = "mysql://u:p@', 'url = "oracle://u:p@', 17, "databases.catalog.url", ["oracle"]),
    ("{port}", "{por}", 20, "processes.monolith.command", ["{por} stands for nothing", "did you mean 'port'?"]),
    ("{databases.legacy.url}", "{databases.legcy.url}", 21, "processes.monolith.env.DB", ["'databases.legacy.url'?"]),
    ("{port}", "{port", 20, "processes.monolith.command", ["single '{'"]),
    ('ready = "/health"', 'ready = "health"', 22, "processes.monolith.ready", ["must begin with /"]),
    ('["databases.legacy"]', '["database.legacy"]', 23, "processes.monolith.needs[0]", ["'databases.legacy'?"]),
    ('["databases.legacy"]', '["processes.monolith"]', 23, "processes.monolith.needs", ["wait for each other"]),
    ("[legacy]", "[legacyy]", 25, "legacyy", ["did you mean 'legacy'?"]),
    ('process = "monolith"', 'process = "monolit"', 26, "legacy.process", ["did you mean 'monolith'?"]),
    ('process = "monolith"', 'process = "monolith"\nurl = "http://h:1"', 25, "legacy", ["exactly one"]),
    ('"http://127.0.0.1:8080"', '"http://127.0.0.1:8080/x"', 30, "capability.catalog.url", ["is not http://host:port"]),
    ('database = "catalog"', 'database = "catlog"', 31, "capability.catalog.database", ["did you mean 'catalog'?"]),
    ('database = "catalog"', 'database = "legacy"', 31, "capability.catalog.database", ["of its own"]),
    ('database = "catalog"\n', "", 29, "capability.catalog", ["needs a database"]),
    ('"GET /api/items",', '"GTE /api/items",', 33, "capability.catalog.routes[0]", ["did you mean 'GET'?"]),
    ('"GET /api/items",', '"/api/items",', 33, "capability.catalog.routes[0]", ["is not a route"]),
    ('"GET /api/items/{id}"', '"GET /api/{id}x"', 34, "capability.catalog.routes[1]", ["not a path template"]),
    ('"GET /api/items/{id}"', '"GET /api/items"', 34, "capability.catalog.routes[1]", ["already claimed by catalog"]),
    ('"GET /api/items/{id}"', "7", 34, "capability.catalog.routes[1]", ["must be a table"]),
    ('from = "brands"', 'form = "brands"', 38, "capability.catalog.tables.brands.form", ["did you mean 'from'?"]),
    ('key = { id = "id" }', "key = { }", 39, "capability.catalog.tables.brands.key", ["must not be empty"]),
    ('name = "TRIM(name)"', 'id = "id"', 41, "capability.catalog.tables.brands.columns.id", ["in key and in columns"]),
    ('name = "TRIM(name)"', "name = 1", 41, "capability.catalog.tables.brands.columns.name", ["text in quotes"]),
    (
        "[capability.catalog.gates]",
        "[capability.catalog.verify]\ncontinuous = 1\n[capability.catalog.gates]",
        44,
        "capability.catalog.verify.continuous",
        ["must be true or false"],
    ),
    (
        "[capability.catalog.gates]",
        "[capability.catalog.verify]\nmax_row_per_second = 1\n[capability.catalog.gates]",
        44,
        "capability.catalog.verify.max_row_per_second",
        ["did you mean 'max_rows_per_second'?"],
    ),
    (
        "[capability.catalog.gates]",
        "[capability.catalog.verify]\ncontinuous_rows_per_second = 0\n[capability.catalog.gates]",
        44,
        "capability.catalog.verify.continuous_rows_per_second",
        ["above 0"],
    ),
    (
        "[capability.catalog.gates]",
        '[capability.catalog.schema_changes]\nswap = "ignore"\n[capability.catalog.gates]',
        44,
        "capability.catalog.schema_changes.swap",
        ["rows of the table that was swapped in would be lost", '"follow"'],
    ),
    (
        "[capability.catalog.gates]",
        '[capability.catalog.schema_changes]\nadd = "halt"\n[capability.catalog.gates]',
        44,
        "capability.catalog.schema_changes.add",
        ["is not one of 'stop', 'follow' or 'ignore'"],
    ),
    ("canary = {", "canray = {", 44, "capability.catalog.gates.canray", ["did you mean 'canary'?"]),
    ("5.0 }", "-1 }", 44, "capability.catalog.gates.canary.max_lag_seconds", ["above 0"]),
    ("max_lag_seconds = 5.0", "max_error_percent_above_legacy = 101", 44, "", ["at most 100"]),
    ("max_lag_seconds", "max_lag_second", 44, "", ["did you mean 'max_lag_seconds'?"]),
]


@pytest.mark.parametrize(("old", "new", "line", "key", "words"), CASES, ids=[f"{c[3]}-{c[1][:20]}" for c in CASES])
def test_names_line_key_and_fix(old: str, new: str, line: int, key: str, words: list[str], tmp_path: Path) -> None:
    assert old in GOOD
    with pytest.raises(ConfigError) as caught:
        load_text(GOOD.replace(old, new, 1), tmp_path / "strangler.toml")
    problem = caught.value.problems[0]
    assert problem.line == line, str(caught.value)
    assert problem.key == key or (key == "" and line), str(caught.value)
    assert str(problem).splitlines()[0].startswith(f"{tmp_path / 'strangler.toml'}:{line}")
    for word in words:
        assert word in str(problem), str(problem)


def test_the_good_one_is_good(tmp_path: Path) -> None:
    config = load_text(GOOD, tmp_path / "strangler.toml")
    assert [r.name for r in config.routes] == ["GET /api/items", "GET /api/items/{id}"]


def test_every_problem_is_named_at_once(tmp_path: Path) -> None:
    text = GOOD.replace('process = "monolith"', 'process = "monolit"').replace('"GET /api/items",', '"/api/items",')
    with pytest.raises(ConfigError) as caught:
        load_text(text, tmp_path / "strangler.toml")
    assert [p.line for p in caught.value.problems] == [26, 33]


def test_overlapping_routes_of_two_capabilities(tmp_path: Path) -> None:
    text = GOOD + '\n[capability.other]\nurl = "http://h:1"\nroutes = ["GET /api/items/{item}"]\n'
    with pytest.raises(ConfigError) as caught:
        load_text(text, tmp_path / "strangler.toml")
    assert "/api/items/{id}" in str(caught.value)
    assert "/api/items/{item}" in str(caught.value)


def test_a_missing_file_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("STRANGLER_CONFIG", raising=False)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match=r"no strangler\.toml in this folder"):
        load()
    with pytest.raises(ConfigError, match="can't be read"):
        load(tmp_path / "there.toml")
