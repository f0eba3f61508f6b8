"""Which port each process gets: as configured, as before, or a free one; and the urls that follow from it."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import urlsplit

import psutil

from cdc.database import Database
from strangler.config import Config, ControlPorts, EnvoyPorts, Ports
from strangler.config.ports import KafkaPorts, StandbyPorts
from strangler.config.resolve import uses_port
from strangler.dev.ports import LOOPBACK, PortTaken, free_port, is_free
from strangler.dev.server import USER


class Addresses:
    """Hands out ports, each once. ``ours`` are those that processes of this environment listen on right now."""

    def __init__(self, ours: Iterable[int]) -> None:
        self._ours = set(ours)
        self._given: set[int] = set()

    def give(self, what: str, before: int | None, fixed: int = 0, host: str = LOOPBACK) -> int:
        """``fixed`` if not 0; else ``before`` while nobody else has it; else a free one.

        Raises PortTaken if ``fixed`` is in use; ``what`` is the key of strangler.toml that says it.
        """
        if fixed:
            if fixed in self._given:
                raise PortTaken(f"{what}: port {fixed} is given to something else in strangler.toml too")
            if fixed not in self._ours and not is_free(fixed, host):
                raise PortTaken(
                    f"{what}: port {fixed} is taken{_holder(fixed)}: end that, or choose another (0: a free one)"
                )
            port = fixed
        elif before and before not in self._given and (before in self._ours or is_free(before)):
            port = before
        else:
            port = free_port(self._given | self._ours)
        self._given.add(port)
        return port


def assign(
    config: Config, before: Ports, passwords: dict[str, str], ours: Iterable[int], hosting: str = "embedded"
) -> Ports:
    """Ports and urls of everything that is started for this configuration.

    ``before`` is what the last run had; ``passwords`` are those of the private databases, of ``redis``
    and of ``kafka``; ``hosting`` is that of the change streams.
    Raises PortTaken.
    """
    given = Addresses(ours)
    api_host, api = host_and_port(config.control.listen)
    listen_host, listen = host_and_port(config.proxy.listen)
    # First the fixed ones, so that no free one is handed out that is then asked for by number.
    envoy_listen = given.give("proxy.listen", before.envoy.listen if before.envoy else None, listen, listen_host)
    control_api = given.give("control.listen", before.control.api if before.control else None, api, api_host)
    processes = sorted(config.processes.items(), key=lambda item: item[1].port is None)
    ports = {
        name: given.give(f"processes.{name}.port", before.processes.get(name), process.port or 0)
        for name, process in processes
        if uses_port(process)
    }
    databases = {}
    for name, section in config.databases.items():
        if section.url is None:
            last = before.databases.get(name)
            port = given.give(f"databases.{name}", urlsplit(last).port if last else None)
            databases[name] = Database(LOOPBACK, port, USER, passwords[name], section.schema_ or name).url
    redis = None
    if config.redis and config.redis.url is None:
        port = given.give("redis", urlsplit(before.redis).port if before.redis else None)
        redis = f"redis://:{passwords['redis']}@{LOOPBACK}:{port}/0"
    return Ports(
        processes=ports,
        databases=databases,
        redis=redis,
        envoy=EnvoyPorts(
            listen=envoy_listen, admin=given.give("envoy admin", before.envoy.admin if before.envoy else None)
        ),
        control=ControlPorts(
            api=control_api, xds=given.give("control xds", before.control.xds if before.control else None)
        ),
        standby=StandbyPorts(xds=given.give("standby xds", before.standby.xds if before.standby else None)),
        hosting=hosting,
        kafka=_kafka(given, before, passwords["kafka"]) if "kafka" in passwords else None,
    )


def _kafka(given: Addresses, before: Ports, password: str) -> KafkaPorts:
    last = before.kafka
    return KafkaPorts(
        broker=given.give("kafka", last.broker if last else None),
        controller=given.give("kafka controller", last.controller if last else None),
        connect=given.give("connect", last.connect if last else None),
        password=password,
    )


def host_and_port(listen: str) -> tuple[str, int]:
    """``127.0.0.1:0`` in two parts; brackets around IPv6 go."""
    host, _, port = listen.rpartition(":")
    return host.strip("[]") or LOOPBACK, int(port)


def _holder(port: int) -> str:
    """`` by NAME (pid N)`` if this user may know."""
    try:
        for connection in psutil.net_connections("tcp"):
            address = connection.laddr
            if connection.status == psutil.CONN_LISTEN and address and address.port == port and connection.pid:
                return f" by {psutil.Process(connection.pid).name()} (pid {connection.pid})"
    except (psutil.AccessDenied, psutil.NoSuchProcess):
        pass
    return ""
