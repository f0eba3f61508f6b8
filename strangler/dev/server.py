"""A private database server: one process of our own, in a folder of its own, on a loopback port of its own.

What MySQL and MariaDB do differently is behind ``ServerProgram``; the siblings ``mysql.py`` and ``mariadb.py`` are
its two adapters. ``PrivateServer`` runs one without a supervisor, for tests and benchmarks.
"""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import socket
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Protocol

import pymysql

from cdc.database import Database
from strangler.dev.layout import private_folder, short_socket
from strangler.dev.ports import LOOPBACK, free_port

USER = "strangler"
START_SECONDS = 60.0
STOP_SECONDS = 60.0


class ServerError(Exception):
    """A database server can't be initialised, started or reached; the text carries its last lines."""


@dataclass(frozen=True)
class Command:
    """What a process is started with. ``env`` is added to the environment."""

    argv: tuple[str, ...]
    env: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Instance:
    """One server: its folder (``data/``, ``password``, ``init.sql`` are inside), its port, its id in replication."""

    folder: Path
    port: int
    server_id: int
    buffer_pool_mb: int = 256

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def init_file(self) -> Path:
        return self.folder / "init.sql"

    @property
    def socket(self) -> Path:
        return short_socket(self.folder, "sock")

    @property
    def password(self) -> str:
        """Of the account ``strangler``; made at the first use, readable by its owner alone."""
        path = self.folder / "password"
        if not path.exists():
            self.folder.mkdir(parents=True, exist_ok=True)
            write_private(path, secrets.token_urlsafe(24))
        return path.read_text()

    def database(self, schema: str) -> Database:
        return Database(LOOPBACK, self.port, USER, self.password, schema)


class ServerProgram(Protocol):
    """A database server's program on this machine."""

    @property
    def kind(self) -> str:
        """``mysql`` or ``mariadb``."""

    def initialise(self, instance: Instance) -> None:
        """Make the data folder. Only called where none is. Blocks for seconds. Raises ServerError."""

    def command(self, instance: Instance) -> Command:
        """What starts the server in the foreground, its log on stderr."""


def prepare(program: ServerProgram, instance: Instance) -> Command:
    """Initialise the instance unless it was, and give the command that starts it.

    An interrupted initialisation is done afresh. Raises ServerError, also when the folder belongs to the
    other kind of server.
    """
    instance.folder.mkdir(parents=True, exist_ok=True)
    made_by = instance.folder / "kind"
    if made_by.exists():
        if made_by.read_text() != program.kind:
            raise ServerError(
                f"{instance.folder} holds data of {made_by.read_text()}, but {program.kind} is to be started: "
                f"go on with --server {made_by.read_text()}, or move the folder away to begin with an empty server"
            )
    else:
        shutil.rmtree(instance.data, ignore_errors=True)
        program.initialise(instance)
        made_by.write_text(program.kind)
    write_private(instance.init_file, _init_sql(instance.password))
    private_folder(instance.socket.parent)
    return program.command(instance)


def common_options(instance: Instance) -> tuple[str, ...]:
    """The options both servers share: full row images, durable commits, loopback only."""
    return (
        f"--datadir={instance.data}",
        f"--port={instance.port}",
        f"--bind-address={LOOPBACK}",
        f"--socket={instance.socket}",
        f"--pid-file={instance.folder / 'server.pid'}",
        f"--init-file={instance.init_file}",
        f"--server-id={instance.server_id}",
        "--log-bin=binlog",
        "--binlog-format=ROW",
        "--binlog-row-image=FULL",
        "--sync-binlog=1",
        "--innodb-flush-log-at-trx-commit=1",
        f"--innodb-buffer-pool-size={instance.buffer_pool_mb}M",
        "--local-infile=1",
        "--skip-name-resolve",
        "--max-connections=400",
        "--max-allowed-packet=64M",
        "--default-time-zone=+00:00",
        *(("--user=root",) if os.geteuid() == 0 else ()),
    )


def ping(database: Database, timeout_seconds: float = 2.0) -> str | None:
    """None if the server lets the account in and answers, else why not."""
    try:
        with connect(database, timeout_seconds) as connection, connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except pymysql.MySQLError as error:
        return str(error.args[-1] if error.args else error)
    return None


def connect(database: Database, timeout_seconds: float = 10.0) -> pymysql.Connection[pymysql.cursors.Cursor]:
    """A connection without a schema selected, autocommit on."""
    return pymysql.connect(
        host=database.host,
        port=database.port,
        user=database.user,
        password=database.password,
        connect_timeout=max(1, int(timeout_seconds)),
        autocommit=True,
    )


def create_schema(database: Database) -> None:
    """Create the database's schema unless it is there."""
    with connect(database) as connection, connection.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE IF NOT EXISTS `{database.schema}` CHARACTER SET utf8mb4")


class PrivateServer:
    """A server that lives as long as this object's ``with`` block (or until ``stop``)."""

    def __init__(self, program: ServerProgram, folder: Path, *, server_id: int = 1, buffer_pool_mb: int = 256) -> None:
        self.program = program
        self.instance = Instance(folder, free_port(), server_id, buffer_pool_mb)
        self.log = folder / "server.log"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def kind(self) -> str:
        return self.program.kind

    @property
    def port(self) -> int:
        return self.instance.port

    @property
    def user(self) -> str:
        return USER

    @property
    def password(self) -> str:
        return self.instance.password

    @property
    def pid(self) -> int:
        """Of the running server. Raises ServerError if it isn't."""
        if self._process is None or self._process.poll() is not None:
            raise ServerError(f"the server on port {self.port} is not running")
        return self._process.pid

    def database(self, schema: str) -> Database:
        return self.instance.database(schema)

    def url(self, schema: str) -> str:
        """For SQLAlchemy."""
        return self.database(schema).url

    def start(self) -> PrivateServer:
        """Initialise if need be, start, return when it answers. Raises ServerError with its last lines."""
        command = prepare(self.program, self.instance)
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                command.argv,
                env=os.environ | command.env,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        wait_until_ready(self._process, self.database("mysql"), self.log)
        return self

    def stop(self) -> None:
        """Shut it down in order and wait. Does nothing if it isn't running."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            self._process.wait(STOP_SECONDS)

    def kill(self) -> None:
        """Kill -9, and wait until it is gone."""
        os.kill(self.pid, signal.SIGKILL)
        if self._process:
            self._process.wait(STOP_SECONDS)

    def restart(self) -> None:
        """Stop if running, then start on the same port with the same data."""
        self.stop()
        self.start()

    def create_schema(self, schema: str) -> Database:
        database = self.database(schema)
        create_schema(database)
        return database

    def drop_schema(self, schema: str) -> None:
        with connect(self.database(schema)) as connection, connection.cursor() as cursor:
            cursor.execute(f"DROP DATABASE IF EXISTS `{schema}`")

    def __enter__(self) -> PrivateServer:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def wait_until_ready(process: subprocess.Popen[bytes], database: Database, log: Path) -> None:
    """Return when the server answers. Raises ServerError if it dies or takes longer than START_SECONDS."""
    deadline = time.monotonic() + START_SECONDS
    while (problem := ping(database)) is not None:
        if process.poll() is not None:
            raise ServerError(f"the server on port {database.port} ended by itself:\n{last_lines(log)}")
        if time.monotonic() > deadline:
            process.kill()
            raise ServerError(f"no answer on port {database.port} after {START_SECONDS:.0f} s ({problem}), see {log}")
        time.sleep(0.05)


def last_lines(log: Path, count: int = 12) -> str:
    """The end of a log file, indented; says so if there is none."""
    if not log.exists():
        return f"  ({log} does not exist)"
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - 64_000))
        lines = file.read().decode(errors="replace").splitlines()
    return "\n".join(f"  {line}" for line in lines[-count:]) or f"  ({log} is empty)"


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner can read, from the first moment on."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)


def _init_sql(password: str) -> str:
    """Run by the server at each start, outside the binlog. One statement a line, as both servers ask for."""
    statements = ["SET sql_log_bin = 0"]
    # `localhost` for the socket, the address for TCP: with name resolution off they are different accounts.
    for host in (LOOPBACK, "localhost"):
        statements.append(f"CREATE USER IF NOT EXISTS '{USER}'@'{host}' IDENTIFIED BY '{password}'")
        statements.append(f"GRANT ALL PRIVILEGES ON *.* TO '{USER}'@'{host}' WITH GRANT OPTION")
    statements.append(f"ALTER USER 'root'@'localhost' IDENTIFIED BY '{password}'")
    # MariaDB's installer makes root accounts without a password for these.
    statements += [f"DROP USER IF EXISTS 'root'@'{host}'" for host in (LOOPBACK, "::1", socket.gethostname().lower())]
    return "".join(f"{statement};\n" for statement in statements)
