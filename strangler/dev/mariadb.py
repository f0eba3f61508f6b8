"""MariaDB as a private server: the pinned one from the cache, or an installed ``mariadbd``."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from strangler.dev.cache import cache_folder
from strangler.dev.mysql import run_initialiser
from strangler.dev.server import Command, Instance, common_options
from strangler.dev.template import copy_of
from strangler.dev.trees import server_tree

LOG_SIZE = "--innodb-log-file-size=256M"


@dataclass(frozen=True)
class MariaDBProgram:
    """``base`` is None for an installed server, which knows its own folders."""

    binary: Path
    installer: Path
    base: Path | None = None
    kind: str = "mariadb"

    def initialise(self, instance: Instance) -> None:
        if self.base:
            copy_of(self.base.with_name(f"{self.base.name}-data"), self._initialise, instance.data)
        else:
            self._initialise(instance.data)

    def _initialise(self, data: Path) -> None:
        root = ("--user=root",) if os.geteuid() == 0 else ()
        run_initialiser(
            Command(
                (
                    str(self.installer),
                    "--no-defaults",
                    *((f"--basedir={self.base}",) if self.base else ()),
                    f"--datadir={data}",
                    LOG_SIZE,
                    "--auth-root-authentication-method=normal",
                    "--skip-test-db",
                    *root,
                )
            )
        )

    def command(self, instance: Instance) -> Command:
        base = (f"--basedir={self.base}", f"--lc-messages-dir={self.base}/share") if self.base else ()
        return Command(
            (
                str(self.binary),
                "--no-defaults",
                *base,
                *common_options(instance),
                # GTIDs are always on in MariaDB; strict refuses transactions that would put them out of order.
                "--gtid-strict-mode=ON",
                f"--gtid-domain-id={instance.server_id}",
                "--expire-logs-days=14",
                # It would make itself a 4096-bit key at each start, for seconds, and it listens on loopback only.
                "--skip-ssl",
                "--character-set-server=utf8mb4",
                # MySQL's default on dates too, so that a row that one accepts is accepted by the other.
                "--sql-mode=STRICT_TRANS_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ZERO_DATE,NO_ZERO_IN_DATE,"
                "NO_ENGINE_SUBSTITUTION",
                LOG_SIZE,
            )
        )


def private_mariadb(cache: Path | None = None) -> MariaDBProgram:
    """The pinned MariaDB, downloaded and unpacked if need be. Raises ArtifactError, CacheError."""
    tree = server_tree("mariadb", cache=cache or cache_folder())
    return MariaDBProgram(tree / "bin" / "mariadbd", tree / "scripts" / "mariadb-install-db", tree)
