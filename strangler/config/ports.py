"""What runs where now: ``.strangler/run/ports.json``, written by whoever starts things, read by everybody else."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError


class PortsError(Exception):
    """ports.json is there but can't be read."""


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="allow")


class EnvoyPorts(_Section):
    listen: int
    admin: int


class ControlPorts(_Section):
    api: int
    xds: int


class StandbyPorts(_Section):
    xds: int


class KafkaPorts(_Section):
    """Of a private Kafka. ``password`` is that of the account ``strangler`` at the broker and at Connect."""

    broker: int
    controller: int
    connect: int
    password: str


class Ports(_Section):
    """Ports on 127.0.0.1 by process name, urls of databases and Redis. Everything may still be missing. ``hosting`` is
    that of the change streams as it was started."""

    processes: Mapping[str, int] = {}
    databases: Mapping[str, str] = {}
    redis: str | None = None
    envoy: EnvoyPorts | None = None
    control: ControlPorts | None = None
    standby: StandbyPorts | None = None
    hosting: str | None = None
    kafka: KafkaPorts | None = None

    @classmethod
    def read(cls, run: Path) -> Ports:
        """From ``run/ports.json``; empty when nothing was ever started. Raises PortsError for a damaged file."""
        path = run / "ports.json"
        try:
            return cls.model_validate_json(path.read_bytes())
        except FileNotFoundError:
            return cls()
        except ValidationError as error:
            raise PortsError(f"{path} is damaged, delete it and run strangler up again: {error}") from error

    def write(self, run: Path) -> None:
        """Atomically, readable by the owner alone (database urls carry passwords)."""
        run.mkdir(parents=True, exist_ok=True)
        path, new = run / "ports.json", run / f"ports.json.{os.getpid()}"
        new.touch(mode=0o600)
        new.write_text(self.model_dump_json(indent=2, exclude_none=True))
        new.replace(path)

    def with_(self, **changes: Any) -> Ports:
        """A copy with these sections replaced."""
        return self.model_validate({**self.model_dump(), **changes})
