"""The hosting of change streams, from the configuration and what runs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from cdc.source.kafka_settings import KafkaHosting, KafkaSecurity
from strangler.config.model import KafkaSection
from strangler.config.ports import KafkaPorts

USER = "strangler"
"""The account of a private Kafka."""
_HOST = "127.0.0.1"


def private_kafka(ports: KafkaPorts, folder: Path, section: KafkaSection | None = None) -> KafkaHosting:
    """The Kafka that ``strangler up`` starts, with its things in ``folder``."""
    section = section or KafkaSection()
    return KafkaHosting(
        f"{_HOST}:{ports.broker}",
        f"http://{_HOST}:{ports.connect}",
        KafkaSecurity("SASL_PLAINTEXT", "PLAIN", USER, ports.password),
        connect_user=USER,
        connect_password=ports.password,
        secrets=folder / "secrets",
        retention_hours=section.retention_hours,
        compression=section.compression,
    )


def external_kafka(section: KafkaSection, root: Path, filled: Callable[[str], str]) -> KafkaHosting:
    """The one that the configuration names. Files start from ``root``; ``filled`` fills placeholders."""

    def text(value: str | None) -> str | None:
        return None if value is None else filled(value)

    def file(value: str | None) -> Path | None:
        return None if value is None else root / filled(value)

    security = section.security
    return KafkaHosting(
        filled(section.bootstrap or ""),
        filled(section.connect or ""),
        KafkaSecurity(
            security.protocol,
            security.mechanism,
            text(security.user),
            text(security.password),
            file(security.ca_file),
            file(security.key_file),
        ),
        connect_user=text(section.connect_user),
        connect_password=text(section.connect_password),
        connect_ca_file=file(section.connect_ca_file),
        replication=section.replication,
        retention_hours=section.retention_hours,
        compression=section.compression,
    )
