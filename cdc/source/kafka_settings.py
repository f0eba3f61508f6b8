"""What a stream asks of Kafka and of Kafka Connect: where they are, topics, the connector's settings. Pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cdc.source.settings import Capture, connector_settings

APPLIED = "strangler.applied"
"""A setting of each connector that Connect ignores: the sum of all others as they were written last."""


@dataclass(frozen=True)
class KafkaSecurity:
    """How clients, Connect's too, talk to the brokers. Files are PEM, and must be there on Connect's machines too."""

    protocol: str = "PLAINTEXT"  # or SSL, SASL_PLAINTEXT, SASL_SSL
    mechanism: str | None = None  # PLAIN, SCRAM-SHA-256, SCRAM-SHA-512
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    ca_file: Path | None = None
    key_file: Path | None = None  # the certificates are in it too

    def client_options(self) -> dict[str, Any]:
        """For kafka-python."""
        options: dict[str, Any] = {"security_protocol": self.protocol}
        if self.mechanism:
            options |= {
                "sasl_mechanism": self.mechanism,
                "sasl_plain_username": self.user,
                "sasl_plain_password": self.password,
            }
        if self.protocol.endswith("SSL"):
            options["ssl_cafile"] = str(self.ca_file) if self.ca_file else None
            options["ssl_certfile"] = str(self.key_file) if self.key_file else None
            options["ssl_keyfile"] = str(self.key_file) if self.key_file else None
        return options

    def java_options(self, login: str | None = None) -> dict[str, str]:
        """For Kafka's own clients; ``login`` stands for the JAAS line where that is kept elsewhere."""
        options = {"security.protocol": self.protocol}
        if self.mechanism:
            options |= {"sasl.mechanism": self.mechanism, "sasl.jaas.config": login or self.login}
        if self.protocol.endswith("SSL") and self.ca_file:
            options |= {"ssl.truststore.type": "PEM", "ssl.truststore.location": str(self.ca_file)}
        if self.protocol.endswith("SSL") and self.key_file:
            options |= {"ssl.keystore.type": "PEM", "ssl.keystore.location": str(self.key_file)}
        return options

    @property
    def login(self) -> str:
        """The JAAS line."""
        module = "scram.Scram" if (self.mechanism or "").startswith("SCRAM") else "plain.Plain"
        return (
            f"org.apache.kafka.common.security.{module}LoginModule required"
            f" username={_quoted(self.user or '')} password={_quoted(self.password or '')};"
        )


@dataclass(frozen=True)
class KafkaHosting:
    """A Kafka and a Connect that run somewhere. ``secrets`` is a folder on a disk that this process and Connect share:
    passwords are written there and only named in the connector's settings; without it they are in those settings."""

    bootstrap: str
    connect: str
    security: KafkaSecurity = KafkaSecurity()
    connect_user: str | None = None
    connect_password: str | None = field(default=None, repr=False)
    connect_ca_file: Path | None = None
    secrets: Path | None = None
    replication: int = 1
    retention_hours: int = 168
    compression: str = "lz4"
    largest_message_bytes: int = 128 << 20

    @property
    def servers(self) -> list[str]:
        return [server.strip() for server in self.bootstrap.split(",")]


def topic_of(stream: str) -> str:
    """All that comes of a stream, in the order of the source's binlog."""
    return stream


def history_topic_of(stream: str) -> str:
    """What the connector knows of the tables' past shapes."""
    return f"{stream}.schema-history"


def topics(hosting: KafkaHosting, stream: str) -> dict[str, dict[str, str]]:
    """Each topic with its settings. One partition each: the order of the binlog is kept by it."""
    common = {"cleanup.policy": "delete", "retention.bytes": "-1"}
    return {
        topic_of(stream): {
            **common,
            "retention.ms": str(hosting.retention_hours * 3_600_000) if hosting.retention_hours else "-1",
            "compression.type": hosting.compression,
            "max.message.bytes": str(hosting.largest_message_bytes),
        },
        # Without all of it the connector can't read on.
        history_topic_of(stream): {**common, "retention.ms": "-1"},
    }


def secrets_file(hosting: KafkaHosting, stream: str) -> Path | None:
    return hosting.secrets / f"{stream}.properties" if hosting.secrets else None


def secrets_text(hosting: KafkaHosting, capture: Capture) -> str:
    """As Connect's FileConfigProvider reads it."""
    secrets = {"password": capture.database.password, "login": hosting.security.login}
    return "".join(f"{key}={value.replace(chr(92), chr(92) * 2)}\n" for key, value in secrets.items())


def connect_settings(hosting: KafkaHosting, capture: Capture) -> dict[str, str]:
    """All settings of the stream's connector, with their sum."""
    stream, file = capture.name, secrets_file(hosting, capture.name)
    settings = connector_settings(capture)
    del settings["name"]
    security = hosting.security.java_options(f"${{file:{file}:login}}" if file else None)
    if file:
        settings["database.password"] = f"${{file:{file}:password}}"
    settings |= {
        "tasks.max": "1",
        "key.converter": "org.apache.kafka.connect.json.JsonConverter",
        "value.converter": "org.apache.kafka.connect.json.JsonConverter",
        # Rows, heartbeats and schema changes into one topic.
        "transforms": "together",
        "transforms.together.type": "org.apache.kafka.connect.transforms.RegexRouter",
        "transforms.together.regex": ".*",
        "transforms.together.replacement": topic_of(stream),
        "max.queue.size": "16384",
        "exactly.once.support": "required",  # or a crash would bring older events behind newer ones
        "producer.override.batch.size": "262144",
        "producer.override.linger.ms": "5",
        "producer.override.compression.type": hosting.compression,
        "producer.override.max.request.size": str(hosting.largest_message_bytes),
        "producer.override.buffer.memory": str(hosting.largest_message_bytes),
        "schema.history.internal": "io.debezium.storage.kafka.history.KafkaSchemaHistory",
        "schema.history.internal.kafka.bootstrap.servers": hosting.bootstrap,
        "schema.history.internal.kafka.topic": history_topic_of(stream),
        "schema.history.internal.store.only.captured.databases.ddl": "true",
        **{f"schema.history.internal.producer.{key}": value for key, value in security.items()},
        **{f"schema.history.internal.consumer.{key}": value for key, value in security.items()},
    }
    return {**settings, APPLIED: sum_of(settings)}


def sum_of(settings: Mapping[str, str]) -> str:
    """Of all settings but the sum itself, and the name, which Connect adds."""
    counted = {key: value for key, value in settings.items() if key not in (APPLIED, "name")}
    return hashlib.sha256(json.dumps(counted, sort_keys=True).encode()).hexdigest()


def changed_by_hand(current: Mapping[str, str], wanted: Mapping[str, str]) -> list[str]:
    """The keys that somebody changed since the connector was last written from here: empty when nobody did, or when
    what they made of it is what is wanted anyway."""
    if sum_of(current) == current.get(APPLIED):
        return []
    keys = (current.keys() | wanted.keys()) - {APPLIED, "name"}
    return sorted(key for key in keys if current.get(key) != wanted.get(key))


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
