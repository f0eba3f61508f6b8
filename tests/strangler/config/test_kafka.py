"""[streams]: where change streams are hosted."""

from __future__ import annotations

from pathlib import Path

import pytest

from cdc.source.kafka_settings import KafkaSecurity
from strangler.config import Config, ConfigError, NotRunning, Ports, load_text, resolve
from strangler.config.ports import KafkaPorts

BASE = """
[project]
name = "shop"
[databases.legacy]
server = "private"
schema = "shop"
[legacy]
url = "http://127.0.0.1:8080"
database = "legacy"
"""
EXTERNAL = """
[streams]
hosting = "kafka"
[streams.kafka]
bootstrap = "kafka-1:9093, kafka-2:9093"
connect = "https://connect:8083"
connect_user = "me"
connect_password = "{env.CONNECT_PASSWORD}"
connect_ca_file = "ca.pem"
replication = 3
retention_hours = 0
[streams.kafka.security]
protocol = "SASL_SSL"
mechanism = "SCRAM-SHA-512"
user = "me"
password = "{env.KAFKA_PASSWORD}"
ca_file = "ca.pem"
"""


def loaded(folder: Path, streams: str) -> Config:
    (folder / "ca.pem").write_text("")
    return load_text(BASE + streams, folder / "strangler.toml")


def test_embedded_unless_something_else_is_said(tmp_path: Path) -> None:
    config = loaded(tmp_path, "")
    assert resolve(config, Ports()).hosting == "embedded"
    assert resolve(config, Ports(hosting="kafka")).hosting == "kafka"  # strangler up --cdc kafka
    assert resolve(loaded(tmp_path, '[streams]\nhosting = "kafka"'), Ports()).hosting == "kafka"


def test_an_existing_kafka_with_its_secrets_filled_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONNECT_PASSWORD", "pw-1")
    monkeypatch.setenv("KAFKA_PASSWORD", "pw-2")
    kafka = resolve(loaded(tmp_path, EXTERNAL), Ports()).kafka
    assert kafka.servers == ["kafka-1:9093", "kafka-2:9093"]
    assert (kafka.connect_user, kafka.connect_password, kafka.replication) == ("me", "pw-1", 3)
    assert kafka.connect_ca_file == tmp_path / "ca.pem"
    assert kafka.security == KafkaSecurity("SASL_SSL", "SCRAM-SHA-512", "me", "pw-2", tmp_path / "ca.pem")
    assert kafka.secrets is None
    assert "pw-" not in repr(kafka)


def test_a_private_one_is_where_it_was_started(tmp_path: Path) -> None:
    config = loaded(tmp_path, "[streams.kafka]\nretention_hours = 24")
    with pytest.raises(NotRunning, match="kafka has no address yet"):
        _ = resolve(config, Ports()).kafka
    ports = KafkaPorts(broker=1001, controller=1002, connect=1003, password="p")
    kafka = resolve(config, Ports(kafka=ports)).kafka
    assert (kafka.bootstrap, kafka.connect) == ("127.0.0.1:1001", "http://127.0.0.1:1003")
    assert kafka.security.protocol == "SASL_PLAINTEXT" and kafka.security.password == "p"
    assert kafka.secrets == tmp_path / ".strangler" / "data" / "kafka" / "secrets"
    assert kafka.retention_hours == 24


@pytest.mark.parametrize(
    ("old", "new", "key", "words"),
    [
        ('connect = "https://connect:8083"\n', "", "streams.kafka", "belong together"),
        ("kafka-2:9093", "kafka-2", "streams.kafka.bootstrap", "is not host:port"),
        ("https://connect:8083", "connect:8083", "streams.kafka.connect", "is not a url"),
        ("https://connect", "https://me:secret@connect", "streams.kafka.connect", "do not belong into the url"),
        ("https://connect", "http://connect", "streams.kafka.connect_ca_file", "not encrypted"),
        ('connect_user = "me"\n', "", "streams.kafka", "connect_user and connect_password belong together"),
        ('hosting = "kafka"', 'hosting = "kafak"', "streams.hosting", "is not one of"),
        ("replication = 3", "replication = 0", "streams.kafka.replication", "at least 1"),
        ('mechanism = "SCRAM-SHA-512"\n', "", "streams.kafka.security", "SASL_SSL needs mechanism"),
        ('"SASL_SSL"', '"SSL"', "streams.kafka.security.protocol", "asks for no user and password"),
        ('"SASL_SSL"', '"SASL_PLAINTEXT"', "streams.kafka.security.protocol", "is not encrypted"),
        ('password = "{env.K', 'password = "{nev.K', "streams.kafka.security.password", "stands for nothing"),
        ('ca_file = "ca.pem"\nrep', 'ca_file = "no.pem"\nrep', "streams.kafka.connect_ca_file", "no file no.pem"),
    ],
)
def test_what_does_not_go_together(tmp_path: Path, old: str, new: str, key: str, words: str) -> None:
    assert old in EXTERNAL
    with pytest.raises(ConfigError) as caught:
        loaded(tmp_path, EXTERNAL.replace(old, new, 1))
    assert [p for p in caught.value.problems if p.key == key and words in p.message], str(caught.value)


def test_a_private_kafka_needs_no_security(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="sets up its own security"):
        loaded(tmp_path, '[streams.kafka.security]\nprotocol = "SSL"')
