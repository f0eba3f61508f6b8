"""Which hosting a stream has: the one place that knows both."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from cdc.session import Session
from cdc.source.kafka_settings import KafkaHosting
from cdc.source.port import Source, SourceError
from cdc.source.purge import check_available
from cdc.source.settings import Capture


@dataclass(frozen=True)
class EngineFiles:
    """What the embedded engine needs of this machine. ``folder`` keeps its schema history and offset file. ``heap_mb``
    is the most that Java may take: a row of 64 MB is there in several forms at once. Most streams never take it."""

    jars: tuple[Path, ...]
    java_home: Path
    folder: Path
    heap_mb: int = 2048


Hosting = EngineFiles | KafkaHosting


def source(hosting: Hosting, capture: Capture) -> Source:
    """Not started yet."""
    if isinstance(hosting, KafkaHosting):
        from cdc.source.kafka import KafkaSource

        return KafkaSource(capture, hosting)
    from cdc.source.embedded import EmbeddedSource  # here: neither loads what only the other needs

    return EmbeddedSource(capture, hosting.jars, hosting.java_home, hosting.folder, hosting.heap_mb)


def check_offset(hosting: Hosting, database: Session, offset: str) -> None:
    """Can this hosting go on from the stored offset? ``database`` is the source's. Raises SourceError."""
    in_topic = "topic" in json.loads(offset)
    if in_topic != isinstance(hosting, KafkaHosting):
        was, now = ("over Kafka", "embedded") if in_topic else ("embedded", "over Kafka")
        raise SourceError(
            f"the stream's stored position was made {was}, and its hosting is {now} now",
            way_out=f"strangler up --cdc {'kafka' if in_topic else 'embedded'}, or copy all tables again:"
            " strangler sync resnapshot",
        )
    if not in_topic:  # the topic keeps events that the source may have purged; the connector says when it can't go on
        check_available(database, offset)


def take_down(hosting: Hosting, stream: str) -> None:
    """Remove what the hosting keeps of the stream outside of this machine. Safe to repeat. Raises SourceError."""
    if isinstance(hosting, KafkaHosting):
        from cdc.source import kafka

        kafka.take_down(hosting, stream)
