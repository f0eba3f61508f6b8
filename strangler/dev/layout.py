"""Where an environment keeps its things: ``.strangler/`` beside strangler.toml."""

from __future__ import annotations

import hashlib
import os
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path


class LayoutError(Exception):
    """A folder can't be used; the text says why and what to do."""


@dataclass(frozen=True)
class Layout:
    """``root`` is the ``.strangler`` folder, absolute. Nothing is created by asking for a path."""

    root: Path

    @classmethod
    def beside(cls, config: Path) -> Layout:
        """Of the environment that the file ``config`` (strangler.toml) describes."""
        return cls(config.absolute().parent / ".strangler")

    @property
    def state(self) -> Path:
        return self.root / "state"

    @property
    def run(self) -> Path:
        return self.root / "run"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    @property
    def data(self) -> Path:
        return self.root / "data"

    @property
    def ports(self) -> Path:
        return self.run / "ports.json"

    @property
    def supervisor_socket(self) -> Path:
        return short_socket(self.root, "supervisor")

    def log(self, process: str) -> Path:
        return self.logs / f"{process}.log"

    def launch(self, process: str) -> Path:
        """What the process is started with (``launch.py`` reads it). Holds passwords: readable by its owner alone."""
        return self.run / "launch" / f"{process}.json"

    def started(self, process: str) -> Path:
        """What ``launch.py`` notes down when it starts the process: pid and the time it was created."""
        return self.run / "started" / f"{process}.json"

    def ready(self, process: str) -> Path:
        """The pid that ``up`` has seen ready."""
        return self.run / "started" / f"{process}.ready"

    def create(self) -> None:
        """Make the folders, private to the user. Raises LayoutError."""
        try:
            for folder in (self.root, self.state, self.run, self.logs, self.data):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            for folder in (self.run / "launch", self.run / "started"):
                folder.mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise LayoutError(f"{error.filename} can't be made: {error.strerror}") from error


def short_socket(owner: Path, suffix: str) -> Path:
    """A socket path that stays under the kernel's 107 bytes however deep ``owner`` is, and differs for each owner."""
    name = hashlib.sha256(str(owner.absolute()).encode()).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"strangler-{os.geteuid()}" / f"{name}.{suffix}"


def private_folder(folder: Path) -> Path:
    """Make ``folder`` unless it is there; refuse one in a shared place that others own or can write to.

    Raises LayoutError.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o077:
        raise LayoutError(f"{folder} is not a folder of this user's alone: remove it, or set TMPDIR to another place")
    return folder
