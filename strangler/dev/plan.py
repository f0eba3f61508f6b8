"""From the configuration to the processes of the environment, each with what it needs. Pure: starts nothing."""

from __future__ import annotations

import sys
import zlib
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from cdc.mapping import no_way_back
from strangler.config import Config, Ports, Resolved, resolve
from strangler.dev.addresses import host_and_port
from strangler.dev.envoy import command as envoy_command
from strangler.dev.kafka import PrivateKafka
from strangler.dev.layout import Layout
from strangler.dev.ports import LOOPBACK
from strangler.dev.process import (
    DatabaseReady,
    HttpReady,
    InitialiseServer,
    KafkaReady,
    MakeFolder,
    Process,
    RedisReady,
    RunFirst,
    StaysUp,
    WriteBootstrap,
    WriteFirst,
)
from strangler.dev.programs import database_folder
from strangler.dev.redis import binary as redis_binary
from strangler.dev.redis import settings as redis_settings
from strangler.dev.server import Instance, ServerProgram

VERSION_PATH = "/__strangler/version"
"""Answered by Envoy's workers once they have a route table."""


class PlanError(Exception):
    """The configuration can't be brought up; the text names the key."""


def plan(
    config: Config,
    ports: Ports,
    programs: Mapping[str, ServerProgram],
    layout: Layout,
    kafka: PrivateKafka | None = None,
) -> list[Process]:
    """Every process, in no particular order; ``ports`` as ``addresses.assign`` gives them. Raises PlanError."""
    resolved = resolve(config, ports)
    processes = [
        *(_database(name, resolved, programs, layout) for name in config.databases),
        *([_redis(resolved, layout)] if config.redis else []),
        *(_application(name, resolved) for name in config.processes),
        _control(resolved),
        _standby(resolved),
        _envoy(resolved, layout),
        *(_kafka(resolved, kafka) if resolved.hosting == "kafka" and streamed(config) else []),
        *(_stream(name, resolved) for name in streamed(config)),
        *(_stream(name, resolved, back=True) for name in streamed_back(config)),
    ]
    names = [process.name for process in processes]
    for name in config.processes:
        if names.count(name) > 1:
            raise PlanError(
                f"{config.path}: processes.{name}: the name is taken by a part of Strangler, choose another"
            )
    return processes


def streamed(config: Config) -> list[str]:
    """The capabilities that have a change stream."""
    return [name for name, capability in config.capabilities.items() if capability.tables and capability.database]


def streamed_back(config: Config) -> list[str]:
    """Those that have one in the other direction too: everything they would own has a way back."""
    return [name for name in streamed(config) if not no_way_back(config.capabilities[name].mapping(name))]


def instance(name: str, port: int, layout: Layout) -> Instance:
    """The private server of the database ``name``."""
    # The same whatever else is configured: positions in the binlog carry it.
    return Instance(database_folder(layout, name), port, server_id=1_000 + zlib.crc32(name.encode()) % 900_000)


def _database(name: str, resolved: Resolved, programs: Mapping[str, ServerProgram], layout: Layout) -> Process:
    database = resolved.database(name)
    if name not in programs:
        return Process(f"db-{name}", (), DatabaseReady(database), port=database.port)
    server = instance(name, database.port, layout)
    command = programs[name].command(server)
    return Process(
        f"db-{name}",
        command.argv,
        DatabaseReady(database),
        env=command.env,
        setup=(InitialiseServer(programs[name], server),),
        port=database.port,
        stop_seconds=90,
    )


def _redis(resolved: Resolved, layout: Layout) -> Process:
    url = urlsplit(resolved.redis_url)
    section = resolved.config.redis
    if section is None or section.url:
        return Process("redis", (), RedisReady(resolved.redis_url), port=url.port or 6379)
    file, data = layout.run / "redis.conf", layout.data / "redis"
    port = url.port or 0
    return Process(
        "redis",
        (section.binary or redis_binary(), str(file)),
        RedisReady(resolved.redis_url),
        setup=(MakeFolder(data), WriteFirst(file, redis_settings(port, url.password or "", data))),
        port=port,
    )


def _kafka(resolved: Resolved, ours: PrivateKafka | None) -> list[Process]:
    """Broker and Connect: started here, or only asked."""
    there = resolved.kafka
    login = (there.connect_user, there.connect_password or "") if there.connect_user else None
    broker_ready = KafkaReady(there.bootstrap, there.security)
    connect_ready = HttpReady((f"{there.connect.rstrip('/')}/connectors",), login, there.connect_ca_file)
    if ours is None:
        return [Process("kafka", (), broker_ready), Process("connect", (), connect_ready)]
    files = tuple(WriteFirst(path, text) for path, text in ours.files.items())
    return [
        Process(
            "kafka",
            ours.broker_command,
            broker_ready,
            setup=(MakeFolder(ours.folder), *files, RunFirst(ours.format_command)),
            port=ours.ports.broker,
            stop_seconds=60,
        ),
        Process(
            "connect",
            ours.connect_command,
            connect_ready,
            needs=("kafka",),
            setup=files,
            port=ours.ports.connect,
            stop_seconds=30,
        ),
    ]


def _application(name: str, resolved: Resolved) -> Process:
    section = resolved.config.processes[name]
    command = resolved.command(name)
    return Process(
        name,
        command.argv,
        HttpReady((command.ready_url,)) if command.ready_url else StaysUp(),
        env={**_environment(resolved), **command.env},
        needs=tuple(_needed(need) for need in section.needs),
        setup=tuple(RunFirst(argv) for argv in command.before),
        port=command.port,
        stop_seconds=int(section.stop_timeout_seconds),
        ready_seconds=section.ready_timeout_seconds,
    )


def _needed(need: str) -> str:
    kind, _, name = need.partition(".")
    return {"databases": f"db-{name}", "processes": name}.get(kind, kind)


def _control(resolved: Resolved) -> Process:
    ports = resolved.ports.control
    assert ports
    return Process(
        "control",
        (sys.executable, "-m", "strangler.control"),
        HttpReady((f"http://{LOOPBACK}:{ports.api}/health",)),
        env=_environment(resolved),
        # Its own state may be in one of them, and it asks the streams' tables there.
        needs=tuple(f"db-{name}" for name in resolved.config.databases),
        port=ports.api,
    )


def _standby(resolved: Resolved) -> Process:
    ports, control = resolved.ports.standby, resolved.ports.control
    assert ports and control
    snapshot = resolved.config.state / "snapshot.bin"
    options = ("--snapshot", str(snapshot), "--port", str(ports.xds), "--primary-port", str(control.xds))
    return Process(
        "standby",
        (sys.executable, "-m", "proxy.xds.standby", *options),
        StaysUp(),
        env=_environment(resolved),
        port=ports.xds,
    )


def _envoy(resolved: Resolved, layout: Layout) -> Process:
    ports, control, standby = resolved.ports.envoy, resolved.ports.control, resolved.ports.standby
    assert ports and control and standby
    host, _ = host_and_port(resolved.config.proxy.listen)
    file = layout.run / "envoy.json"
    reached = LOOPBACK if host == "0.0.0.0" else host
    bootstrap = WriteBootstrap(
        file,
        node_id=f"{resolved.config.project.name}-1",
        listen=(host, ports.listen),
        admin=(LOOPBACK, ports.admin),
        xds=(LOOPBACK, control.xds),
        standby=(LOOPBACK, standby.xds),
    )
    return Process(
        "envoy",
        envoy_command(file),
        HttpReady((f"http://{LOOPBACK}:{ports.admin}/ready", f"http://{reached}:{ports.listen}{VERSION_PATH}")),
        needs=("control", "standby"),
        setup=(bootstrap,),
        port=ports.listen,
    )


def _stream(capability: str, resolved: Resolved, *, back: bool = False) -> Process:
    section, legacy = resolved.config.capabilities[capability], resolved.config.legacy
    # The sides' own processes make the tables before they start.
    owners = [process for process in (legacy.process, section.process) if process]
    kafka = ("kafka", "connect") if resolved.hosting == "kafka" else ()
    return Process(
        f"stream-{capability}{'-back' if back else ''}",
        (sys.executable, "-m", "strangler.streams", capability, *(("--back",) if back else ())),
        StaysUp(),
        env=_environment(resolved),
        needs=(f"db-{legacy.database}", f"db-{section.database}", *owners, *kafka),
        stop_seconds=30,
    )


def _environment(resolved: Resolved) -> dict[str, str]:
    return {"STRANGLER_CONFIG": str(Path(resolved.config.path).absolute()), "PYTHONUNBUFFERED": "1"}
