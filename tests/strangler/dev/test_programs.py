"""Which server's program a private database gets."""

from __future__ import annotations

from pathlib import Path

import pytest

from strangler.config import Config
from strangler.config.load import load_text
from strangler.dev import programs
from strangler.dev.layout import Layout
from strangler.dev.libraries import MissingLibraries
from strangler.dev.mariadb import MariaDBProgram
from strangler.dev.mysql import MySQLProgram
from strangler.dev.programs import choose, database_folder, installed
from strangler.dev.server import PrivateServer, ServerError

TOML = """
[project]
name = "shop"
[databases.legacy]
server = "private"
schema = "shop"
{more}
[databases.far]
url = "mysql://u:p@10.0.0.1/x"
[processes.monolith]
command = "true {{port}}"
[legacy]
process = "monolith"
database = "legacy"
"""


@pytest.fixture(autouse=True)
def nothing_is_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(programs, "private_mysql", lambda: MySQLProgram(Path("/mysqld")))
    monkeypatch.setattr(programs, "private_mariadb", lambda: MariaDBProgram(Path("/mariadbd"), Path("/install")))


def configuration(folder: Path, more: str = "") -> Config:
    return load_text(TOML.format(more=more), folder / "strangler.toml")


def kinds(config: Config, wanted: str | None = None, notes: list[str] | None = None) -> dict[str, str]:
    said = [] if notes is None else notes
    chosen = choose(config, Layout.beside(config.path), wanted, said.append)
    return {name: program.kind for name, program in chosen.items()}


def test_mysql_unless_said_otherwise_and_nothing_for_what_is_elsewhere(tmp_path: Path) -> None:
    assert kinds(configuration(tmp_path)) == {"legacy": "mysql"}
    assert kinds(configuration(tmp_path), "mariadb") == {"legacy": "mariadb"}
    assert kinds(configuration(tmp_path, 'flavour = "mariadb"'), "mysql") == {"legacy": "mariadb"}


def made_by(config: Config, kind: str) -> None:
    folder = database_folder(Layout.beside(config.path), "legacy")
    folder.mkdir(parents=True)
    (folder / "kind").write_text(kind)


def test_data_keeps_the_server_that_made_it(tmp_path: Path) -> None:
    config = configuration(tmp_path)
    made_by(config, "mariadb")
    assert kinds(config) == {"legacy": "mariadb"}
    with pytest.raises(ServerError, match=r"databases\.legacy holds data of mariadb .*, not of mysql"):
        kinds(config, "mysql")


def test_mariadb_takes_mysqls_place_with_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> MySQLProgram:
        raise MissingLibraries("MySQL needs libaio.so.1")

    monkeypatch.setattr(programs, "private_mysql", missing)
    notes: list[str] = []
    assert kinds(configuration(tmp_path), notes=notes) == {"legacy": "mariadb"}
    assert notes == ["MariaDB takes MySQL's place: MySQL needs libaio.so.1"]
    with pytest.raises(MissingLibraries):
        kinds(configuration(tmp_path), "mysql")


def test_an_installed_one_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ServerError, match="no-mysqld is not installed"):
        kinds(configuration(tmp_path, 'binary = "no-mysqld"'))


@pytest.mark.real
def test_an_installed_one_runs(tmp_path: Path, mysql_legacy: PrivateServer) -> None:
    """The fetched server's program, found by its path as an installed one would be."""
    binary = next(part for part in mysql_legacy.program.command(mysql_legacy.instance).argv if "mysqld" in part)
    program = installed(binary)
    assert program.kind == "mysql"
    assert program.command(mysql_legacy.instance).argv[:2] == (binary, "--no-defaults")
