"""One process of the environment, as a value: what starts it, what it waits for, how it is asked if it is ready."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from cdc.database import Database
from cdc.source.kafka_settings import KafkaSecurity
from strangler.dev.server import Instance, ServerProgram


@dataclass(frozen=True)
class HttpReady:
    """Ready when GET answers 2xx on every one of ``urls``. ``login``: name and password, if they are asked for;
    ``ca_file``: who signed its certificate, where that is not known anyway."""

    urls: tuple[str, ...]
    login: tuple[str, str] | None = field(default=None, repr=False)
    ca_file: Path | None = None


@dataclass(frozen=True)
class DatabaseReady:
    """Ready when the account is let in. The schema is created then, unless it is there."""

    database: Database


@dataclass(frozen=True)
class RedisReady:
    """Ready when PING is answered."""

    url: str


@dataclass(frozen=True)
class KafkaReady:
    """Ready when the broker lets the account in and lists its topics."""

    bootstrap: str
    security: KafkaSecurity


@dataclass(frozen=True)
class StaysUp:
    """Nothing to ask: ready when the supervisor counts it as running."""


Ready = HttpReady | DatabaseReady | RedisReady | KafkaReady | StaysUp


@dataclass(frozen=True)
class InitialiseServer:
    """Before the first start: make the data folder of a private database server."""

    program: ServerProgram
    instance: Instance


@dataclass(frozen=True)
class RunFirst:
    """Before each start: a command that has to end with 0 (migrations)."""

    argv: tuple[str, ...]


@dataclass(frozen=True)
class WriteFirst:
    """Before each start: a file, readable by its owner alone."""

    path: Path
    text: str


@dataclass(frozen=True)
class MakeFolder:
    """Before each start: a folder, private to the user."""

    path: Path


@dataclass(frozen=True)
class WriteBootstrap:
    """Before each start: Envoy's bootstrap file. The rest are the arguments of ``proxy.envoy.bootstrap.write``."""

    path: Path
    node_id: str
    listen: tuple[str, int]
    admin: tuple[str, int]
    xds: tuple[str, int]
    standby: tuple[str, int]


Setup = InitialiseServer | RunFirst | WriteFirst | MakeFolder | WriteBootstrap


@dataclass(frozen=True)
class Process:
    """``needs`` names processes that are ready before this one is set up. ``port`` is where it listens, if it does.

    An empty ``argv`` stands for something that runs elsewhere and is only asked. ``env`` is added to the environment.
    ``stop_seconds``: how long it may take to end after SIGTERM; ``ready_seconds``: how long until it is ready.
    """

    name: str
    argv: tuple[str, ...]
    ready: Ready
    env: dict[str, str] = field(default_factory=dict)
    needs: tuple[str, ...] = ()
    setup: tuple[Setup, ...] = ()
    port: int | None = None
    stop_seconds: int = 15
    ready_seconds: float = 90.0
