"""What is wrong with ``[streams.kafka]``, beyond its shape. Pure, but for the files that it names."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from strangler.config.model import KafkaSection
from strangler.config.positions import Key

_AT: Key = ("streams", "kafka")
Wrong = tuple[Key, str, str]


def wrong_kafka(section: KafkaSection, root: Path) -> Iterator[Wrong]:
    """Key, what is wrong with it, what to do. Files start from ``root``."""
    if (section.bootstrap is None) != (section.connect is None):
        yield _AT, "bootstrap and connect belong together", "give both, or neither for a private Kafka of our own"
    if section.private:
        if section.security != type(section.security)():
            yield (*_AT, "security"), "a private Kafka sets up its own security", "leave it out, or give bootstrap"
        if section.replication != 1:
            yield (*_AT, "replication"), "a private Kafka has one broker", "leave replication out"
        return
    yield from _addresses(section)
    yield from _security(section)
    for key, name in ((("connect_ca_file",), section.connect_ca_file), *_files(section)):
        if name is not None and "{" not in name and not (root / name).is_file():
            yield (*_AT, *key), f"there is no file {name}", "files start from the folder of strangler.toml"


def _files(section: KafkaSection) -> Iterator[tuple[Key, str | None]]:
    yield ("security", "ca_file"), section.security.ca_file
    yield ("security", "key_file"), section.security.key_file


def _addresses(section: KafkaSection) -> Iterator[Wrong]:
    for server in (section.bootstrap or "").split(","):
        host, _, port = server.strip().rpartition(":")
        if not host or not port.isdigit() or not 0 < int(port) < 65536:
            yield (*_AT, "bootstrap"), f'"{server.strip()}" is not host:port', 'write "kafka-1:9092,kafka-2:9092"'
    if section.connect is not None:
        url = urlsplit(section.connect)
        if url.scheme not in ("http", "https") or not url.hostname:
            yield (*_AT, "connect"), f'"{section.connect}" is not a url', 'write "https://connect:8083"'
        elif url.username is not None:
            yield (*_AT, "connect"), "name and password do not belong into the url", "connect_user, connect_password"
        elif url.scheme == "http" and section.connect_ca_file:
            yield (*_AT, "connect_ca_file"), "http is not encrypted", 'write connect = "https://..."'
    if (section.connect_user is None) != (section.connect_password is None):
        yield _AT, "connect_user and connect_password belong together", "give both or neither"


def _security(section: KafkaSection) -> Iterator[Wrong]:
    security, at = section.security, (*_AT, "security")
    sasl = security.protocol.startswith("SASL")
    missing = [name for name in ("mechanism", "user", "password") if getattr(security, name) is None]
    if sasl and missing:
        yield at, f"{security.protocol} needs {', '.join(missing)}", 'mechanism = "SCRAM-SHA-512", user, password'
    if not sasl and len(missing) < 3:
        yield (*at, "protocol"), f"{security.protocol} asks for no user and password", "use SASL_SSL"
    if not security.protocol.endswith("SSL") and (security.ca_file or security.key_file):
        yield (*at, "protocol"), f"{security.protocol} is not encrypted, so no file is used", "use SSL or SASL_SSL"
