"""Which database server's program each private server runs: fetched or installed, MySQL or MariaDB."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from strangler.config import Config
from strangler.dev.layout import Layout
from strangler.dev.libraries import MissingLibraries
from strangler.dev.mariadb import MariaDBProgram, private_mariadb
from strangler.dev.mysql import MySQLProgram, private_mysql
from strangler.dev.server import ServerError, ServerProgram

VERSION_SECONDS = 20


def choose(config: Config, layout: Layout, wanted: str | None, note: Callable[[str], None]) -> dict[str, ServerProgram]:
    """The program of each private database. ``wanted`` is what ``--server`` said.

    What a database was made by stays; else its ``flavour``, else ``wanted``, else MySQL; MariaDB takes MySQL's place
    (``note`` says so) where nobody asked for MySQL and its libraries can't be had. Downloads what is missing.
    Raises ArtifactError, MissingLibraries, CacheError, ServerError.
    """
    made: dict[str, ServerProgram] = {}
    chosen: dict[str, ServerProgram] = {}
    for name, section in config.databases.items():
        if section.url is not None:
            continue
        if section.binary:
            chosen[name] = installed(section.binary)
            continue
        kind_file = database_folder(layout, name) / "kind"
        asked = section.flavour or wanted
        there = kind_file.read_text() if kind_file.exists() else None
        if asked and there and asked != there:
            raise ServerError(
                f"databases.{name} holds data of {there} ({kind_file.parent}), not of {asked}: leave --server out, or "
                "move that folder away to begin with an empty server"
            )
        kind = asked or there or ""
        if kind not in made:
            made[kind] = _fetched(kind, note)
        chosen[name] = made[kind]
    return chosen


def database_folder(layout: Layout, name: str) -> Path:
    """Where the private server of the database ``name`` keeps everything."""
    return layout.data / f"db-{name}"


def installed(binary: str) -> ServerProgram:
    """The server program at ``binary`` (a path, or a name on the PATH). Raises ServerError."""
    found = shutil.which(binary) or shutil.which(binary, path="/usr/sbin:/usr/local/sbin:/usr/libexec")
    if not found:
        raise ServerError(f"{binary} is not installed: say which mysqld or mariadbd to run, or leave `binary` out")
    try:
        said = subprocess.run([found, "--version"], capture_output=True, text=True, timeout=VERSION_SECONDS).stdout
    except (OSError, subprocess.SubprocessError) as error:
        raise ServerError(f"{found} can't be run: {error}") from error
    if "mariadb" not in said.lower():
        return MySQLProgram(Path(found))
    installer = shutil.which("mariadb-install-db") or shutil.which("mysql_install_db")
    if not installer:
        raise ServerError(f"{found} is there, but neither mariadb-install-db nor mysql_install_db: install it too")
    return MariaDBProgram(Path(found), Path(installer))


def _fetched(kind: str, note: Callable[[str], None]) -> ServerProgram:
    if kind == "mariadb":
        return private_mariadb()
    try:
        return private_mysql()
    except MissingLibraries as error:
        if kind == "mysql":
            raise
        note(f"MariaDB takes MySQL's place: {error}")
        return private_mariadb()
