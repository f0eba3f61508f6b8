"""A configuration with its placeholders filled from what runs now."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from urllib.parse import urlsplit

from cdc.database import Database
from cdc.mapping import CapabilityMapping
from cdc.source.kafka_settings import KafkaHosting
from proxy.routes import RouteTable, Upstream
from proxy.settings import Identity, ProxySettings
from strangler.config.model import Capability, Config, Legacy, Process
from strangler.config.placeholders import fill
from strangler.config.ports import Ports
from strangler.config.streams import external_kafka, private_kafka


class NotRunning(Exception):
    """Something whose port or url is needed isn't up yet. Exit code 1."""

    def __init__(self, what: str) -> None:
        super().__init__(f"{what} has no address yet: start it with strangler up")
        self.what = what


@dataclass(frozen=True)
class Command:
    """A process ready to start: argument vectors, the environment to add, the port or None, the working folder."""

    name: str
    argv: tuple[str, ...]
    before: tuple[tuple[str, ...], ...]
    env: Mapping[str, str]
    port: int | None
    cwd: Path
    ready_url: str | None


@dataclass(frozen=True)
class Resolved:
    """``config`` and ``ports`` together. Properties raise NotRunning for what has no address yet."""

    config: Config
    ports: Ports

    def value(self, name: str, *, process: str = "") -> str:
        """What a placeholder stands for. ``process`` is whose command or environment it stands in."""
        match name.split("."):
            case ["port"]:
                return str(self.port(process))
            case ["state"]:
                return str(self.config.state)
            case ["root"]:
                return str(self.config.root)
            case ["env", variable]:
                return self._environment(variable)
            case ["redis", "url"]:
                return self.redis_url
            case ["databases", database, "url"]:
                return self.database_url(database)
            case ["processes", other, "url"]:
                return f"http://127.0.0.1:{self.port(other)}"
        raise ValueError(f"unknown placeholder {{{name}}}")  # load() has refused it before

    def port(self, process: str) -> int:
        fixed = self.config.processes[process].port
        port = fixed if fixed is not None else self.ports.processes.get(process)
        if port is None:
            raise NotRunning(f"process {process}")
        return port

    def database_url(self, name: str) -> str:
        """``mysql://user:password@host:port/schema``."""
        section = self.config.databases[name]
        url = self.ports.databases.get(name)
        if section.url is not None:
            url = fill(section.url, self.value)
        if url is None:
            raise NotRunning(f"database {name}")
        return url

    def database(self, name: str) -> Database:
        return Database.from_url(self.database_url(name))

    @property
    def redis_url(self) -> str:
        redis = self.config.redis
        if redis is not None and redis.url is not None:
            return fill(redis.url, self.value)
        if self.ports.redis is None:
            raise NotRunning("redis")
        return self.ports.redis

    @property
    def hosting(self) -> str:
        """Of the change streams: ``embedded`` or ``kafka``."""
        return self.ports.hosting or self.config.streams.hosting

    @property
    def kafka(self) -> KafkaHosting:
        """Where change streams go through when they are hosted by Kafka."""
        section = self.config.streams.kafka
        if not section.private:
            return external_kafka(section, self.config.root, lambda text: fill(text, self.value))
        if self.ports.kafka is None:
            raise NotRunning("kafka")
        return private_kafka(self.ports.kafka, self.config.data / "kafka", section)

    def command(self, name: str) -> Command:
        """The process as it is to be started."""
        process = self.config.processes[name]
        port = self.port(name) if uses_port(process) else None

        def filled(text: str) -> str:
            return fill(text, lambda placeholder: self.value(placeholder, process=name))

        return Command(
            name=name,
            argv=_argv(filled(process.command)),
            before=tuple(_argv(filled(command)) for command in process.before),
            env={key: filled(value) for key, value in process.env.items()},
            port=port,
            cwd=self.config.root,
            ready_url=f"http://127.0.0.1:{port}{process.ready}" if process.ready and port else None,
        )

    @cached_property
    def legacy_database(self) -> Database:
        return self.database(self.config.legacy.database)

    def capability_database(self, capability: str) -> Database:
        """Of the new side. Raises ValueError when the capability has no database."""
        name = self.config.capabilities[capability].database
        if name is None:
            raise ValueError(f"capability {capability} has no database")
        return self.database(name)

    def side_url(self, section: Legacy | Capability) -> str:
        """Where a side answers, without a path: ``http://host:port``."""
        if section.url is not None:
            return fill(section.url, self.value).rstrip("/")
        return self.value(f"processes.{section.process}.url")

    @cached_property
    def route_table(self) -> RouteTable:
        """What the proxy routes. Checked by load() already."""
        return RouteTable(
            legacy=self._upstream("legacy", self.config.legacy),
            new={name: self._upstream(name, section) for name, section in self.config.capabilities.items()},
            routes=self.config.routes,
        )

    def mapping(self, capability: str) -> CapabilityMapping:
        return mapping(self.config, capability)

    def proxy_settings(self, key: bytes | None) -> ProxySettings:
        """``key`` signs cohort tokens."""
        section = self.config.proxy
        identity = section.identity
        issue = identity.issue if identity.issue is not None else identity.cookie is not None
        return ProxySettings(
            identity=Identity(identity.cookie, identity.header, issue),
            cohorts=frozenset(section.cohorts),
            key=key,
            networks=tuple(section.networks),
            salt=section.salt,
        )

    @cached_property
    def state_url(self) -> str:
        """SQLAlchemy url of the control plane's own state."""
        state = self.config.control.state
        if state == "sqlite":
            return f"sqlite:///{self.config.state / 'control.db'}"
        return Database.from_url(fill(state, self.value)).url

    def _upstream(self, name: str, section: Legacy | Capability) -> Upstream:
        parts = urlsplit(self.side_url(section))
        return Upstream(name, ((parts.hostname or "", parts.port or 80),), section.timeout_ms)

    @staticmethod
    def _environment(variable: str) -> str:
        try:
            return os.environ[variable]
        except KeyError:
            raise NotRunning(f"environment variable {variable}") from None


def resolve(config: Config, ports: Ports | None = None) -> Resolved:
    """Fill placeholders from ``ports``, or from ports.json beside the file. Cheap; fills on demand."""
    return Resolved(config, Ports.read(config.run) if ports is None else ports)


def mapping(config: Config, capability: str) -> CapabilityMapping:
    """Needs nothing to be running."""
    return config.capabilities[capability].mapping(capability)


def uses_port(process: Process) -> bool:
    """Whether the process listens: its command or environment says ``{port}``, or a port is fixed."""
    texts = (process.command, *process.env.values())
    return process.port is not None or any("{port}" in text for text in texts)


def _argv(command: str) -> tuple[str, ...]:
    """Split as a shell would; programs installed beside this Python are found without an activated venv."""
    program, *arguments = shlex.split(command)
    if program in ("python", "python3"):
        program = sys.executable
    elif "/" not in program and (beside := Path(sys.executable).parent / program).exists():
        program = str(beside)
    return (program, *arguments)
