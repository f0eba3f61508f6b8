"""Is it ready? Asked of the process itself; one question, one answer, no waiting."""

from __future__ import annotations

import socket
import ssl
from pathlib import Path
from urllib.parse import urlsplit

from cdc.source.kafka_settings import KafkaSecurity
from strangler.dev.process import DatabaseReady, HttpReady, KafkaReady, Ready, RedisReady, StaysUp
from strangler.dev.server import ping

ASK_SECONDS = 2.0


def problem(ready: Ready) -> str | None:
    """None if it is ready, else what it answered or why it didn't. Blocks for at most ASK_SECONDS."""
    match ready:
        case HttpReady(urls, login, ca_file):
            return next((said for url in urls if (said := _http(url, login, ca_file)) is not None), None)
        case DatabaseReady(database):
            return ping(database, ASK_SECONDS)
        case RedisReady(url):
            return _redis(url)
        case KafkaReady(bootstrap, security):
            return _kafka(bootstrap, security)
        case StaysUp():
            return None


def describe(ready: Ready) -> str:
    """What is asked, for people; holds no password."""
    match ready:
        case HttpReady(urls):
            return "GET " + " and ".join(urls)
        case DatabaseReady(database):
            return f"log-in at {database}"
        case RedisReady(url):
            return f"PING at {urlsplit(url).hostname}:{urlsplit(url).port}"
        case KafkaReady(bootstrap):
            return f"the list of topics at {bootstrap}"
        case StaysUp():
            return "stays up"


def _http(url: str, login: tuple[str, str] | None, ca_file: Path | None) -> str | None:
    import httpx  # here and below: `ps` and its like ask nothing and need not wait for the clients to load

    try:
        # trust_env off: a proxy for the outside world must not be asked about loopback.
        verify = ssl.create_default_context(cafile=str(ca_file)) if ca_file else True
        with httpx.Client(trust_env=False, timeout=ASK_SECONDS, auth=login, verify=verify) as client:
            response = client.get(url)
    except httpx.HTTPError as error:
        return str(error) or type(error).__name__
    return None if response.is_success else f"HTTP {response.status_code}: {response.text[:200]}"


def _redis(url: str) -> str | None:
    import redis

    try:
        with redis.Redis.from_url(url, socket_timeout=ASK_SECONDS) as client:
            client.ping()
    except redis.RedisError as error:
        return str(error)
    return None


def _kafka(bootstrap: str, security: KafkaSecurity) -> str | None:
    servers = bootstrap.split(",")
    if (said := _nobody_listens(servers)) is not None:
        return said  # a client of Kafka would take seconds to find that out
    from kafka import KafkaAdminClient
    from kafka.errors import KafkaError

    milliseconds = int(ASK_SECONDS * 1000)
    try:
        client = KafkaAdminClient(
            bootstrap_servers=servers,
            bootstrap_timeout_ms=milliseconds,
            request_timeout_ms=milliseconds,
            **security.client_options(),
        )
        try:
            client.list_topics()
        finally:
            client.close()
    except KafkaError as error:
        return f"{type(error).__name__}: {error}"
    return None


def _nobody_listens(servers: list[str]) -> str | None:
    said = None
    for server in servers:
        host, _, port = server.strip().rpartition(":")
        try:
            socket.create_connection((host.strip("[]"), int(port)), ASK_SECONDS).close()
            return None
        except OSError as error:
            said = f"{server.strip()}: {error.strerror or error}"
    return said
