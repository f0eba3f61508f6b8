"""MySQL as a private server: the pinned one from the cache, or an installed ``mysqld``."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from strangler.dev.cache import cache_folder
from strangler.dev.libraries import library_path
from strangler.dev.server import Command, Instance, ServerError, common_options
from strangler.dev.template import copy_of
from strangler.dev.trees import server_tree

INITIALISE_SECONDS = 180
LOG_SIZE = "--innodb-log-file-size=128M"


@dataclass(frozen=True)
class MySQLProgram:
    """``base`` is None for an installed server, which knows its own folders."""

    binary: Path
    base: Path | None = None
    env: dict[str, str] = field(default_factory=dict)
    kind: str = "mysql"

    def _start(self) -> tuple[str, ...]:
        base = (f"--basedir={self.base}", f"--lc-messages-dir={self.base}/share") if self.base else ()
        # --no-defaults has to come first, or the machine's own configuration is read.
        return (str(self.binary), "--no-defaults", *base)

    def initialise(self, instance: Instance) -> None:
        if self.base:
            copy_of(self.base.with_name(f"{self.base.name}-data"), self._initialise, instance.data)
        else:
            self._initialise(instance.data)

    def _initialise(self, data: Path) -> None:
        data.mkdir(mode=0o700, parents=True)
        root = ("--user=root",) if os.geteuid() == 0 else ()
        options = ("--initialize-insecure", f"--datadir={data}", LOG_SIZE, *root)
        run_initialiser(Command((*self._start(), *options), self.env))
        # Each copy makes its own: a server is told from others by the first, keys are nobody else's.
        for own in (data / "auto.cnf", *data.glob("*.pem")):
            own.unlink()

    def command(self, instance: Instance) -> Command:
        return Command(
            (
                *self._start(),
                *common_options(instance),
                "--gtid-mode=ON",
                "--enforce-gtid-consistency=ON",
                "--binlog-expire-logs-seconds=1209600",
                "--default-authentication-plugin=mysql_native_password",
                LOG_SIZE,
                # No TLS on loopback, so no keys for it; those for log-ins with caching_sha2_password are made.
                "--auto-generate-certs=OFF",
                "--mysqlx=OFF",
            ),
            self.env,
        )


def private_mysql(cache: Path | None = None) -> MySQLProgram:
    """The pinned MySQL, downloaded and unpacked if need be, with the libraries it needs.

    Raises MissingLibraries, ArtifactError, CacheError.
    """
    cache = cache or cache_folder()
    libraries = library_path(cache)
    tree = server_tree("mysql", cache=cache)
    return MySQLProgram(tree / "bin" / "mysqld", tree, {"LD_LIBRARY_PATH": str(libraries)} if libraries else {})


def run_initialiser(command: Command) -> None:
    """Run it to its end. Raises ServerError with its last lines."""
    try:
        done = subprocess.run(
            command.argv,
            env=os.environ | command.env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=INITIALISE_SECONDS,
        )
    except OSError as error:
        raise ServerError(f"{command.argv[0]} can't be run: {error}") from error
    except subprocess.TimeoutExpired as error:
        raise ServerError(f"{command.argv[0]} did not finish within {INITIALISE_SECONDS} s") from error
    if done.returncode:
        said = "\n".join(f"  {line}" for line in done.stdout.decode(errors="replace").splitlines()[-12:])
        raise ServerError(f"{command.argv[0]} failed ({done.returncode}):\n{said}")
