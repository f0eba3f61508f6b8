"""Everything that ``up`` needs to know before it starts the first process: programs, ports, plan."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from strangler.config import Config, Ports
from strangler.dev.addresses import assign
from strangler.dev.artifacts import debezium_jars
from strangler.dev.jars import debezium_plugin, kafka_jars
from strangler.dev.kafka import PrivateKafka
from strangler.dev.layout import Layout
from strangler.dev.plan import instance, plan, streamed
from strangler.dev.process import Process
from strangler.dev.programs import choose
from strangler.dev.remains import noted
from strangler.dev.server import write_private


@dataclass(frozen=True)
class Assembled:
    """What is to run, and where it listens. ports.json says the same."""

    processes: list[Process]
    ports: Ports


def assemble(
    config: Config, layout: Layout, server: str | None, note: Callable[[str], None], cdc: str | None = None
) -> Assembled:
    """Download what is missing, choose ports, write ports.json, plan. Starts nothing.

    ``server`` is what ``--server`` said, ``cdc`` what ``--cdc`` said, ``note`` gets lines for people. Raises CacheError
    and its kinds, ServerError, PortTaken, PlanError, PortsError.
    """
    layout.create()
    programs = choose(config, layout, server, note)
    hosting = cdc or config.streams.hosting
    jars: tuple[Path, Path] | None = None
    if streamed(config):
        if hosting == "embedded":
            debezium_jars()
        elif config.streams.kafka.private:
            jars = kafka_jars(), debezium_plugin()
    before = Ports.read(layout.run)
    # The port doesn't matter here: the password belongs to the folder.
    passwords = {name: instance(name, 0, layout).password for name in programs}
    if config.redis and not config.redis.url:
        passwords["redis"] = _password(layout, "redis")
    if jars:
        passwords["kafka"] = _password(layout, "kafka")
    ports = assign(config, before, passwords, _ours(config, before, layout), hosting)
    ports.write(layout.run)
    kafka = PrivateKafka(layout.data / "kafka", *jars, ports.kafka) if jars and ports.kafka else None
    return Assembled(plan(config, ports, programs, layout, kafka), ports)


def _ours(config: Config, before: Ports, layout: Layout) -> list[int]:
    """Ports that processes of this environment listen on right now."""
    listening: dict[str, list[int]] = {name: [port] for name, port in before.processes.items()}
    listening |= {name: [process.port] for name, process in config.processes.items() if process.port}
    listening |= {f"db-{name}": [_port(url)] for name, url in before.databases.items()}
    listening |= {"redis": [_port(before.redis)]} if before.redis else {}
    listening |= {"envoy": [before.envoy.listen, before.envoy.admin]} if before.envoy else {}
    listening |= {"control": [before.control.api, before.control.xds]} if before.control else {}
    listening |= {"standby": [before.standby.xds]} if before.standby else {}
    listening |= {"kafka": [before.kafka.broker, before.kafka.controller]} if before.kafka else {}
    listening |= {"connect": [before.kafka.connect]} if before.kafka else {}
    return [port for name, ports in listening.items() if noted(layout, name) for port in ports]


def _port(url: str) -> int:
    return int(url.rsplit("@", 1)[1].split("/")[0].rsplit(":", 1)[1])


def _password(layout: Layout, name: str) -> str:
    path = layout.data / f"{name}-password"
    if not path.exists():
        write_private(path, secrets.token_urlsafe(24))
    return path.read_text()
