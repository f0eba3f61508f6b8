"""The topics of one stream: made with the right settings, checked, emptied. Blocking."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, TypeVar

from kafka import KafkaAdminClient, TopicPartition, errors
from kafka.admin import ConfigResource, ConfigResourceType

from cdc.source.kafka_said import said_since
from cdc.source.kafka_settings import KafkaHosting, topics
from cdc.source.port import SourceError

ASK_MS = 15_000
FOUND_MS = 5_000
_REFUSED = (
    errors.SaslAuthenticationFailedError,
    errors.UnsupportedSaslMechanismError,
    errors.IllegalSaslStateError,
)
_REFUSED_SIGNS = ("SaslAuthenticationFailed", "UnsupportedSaslMechanism", "IllegalSaslState")

T = TypeVar("T")


class Topics:
    """Every method raises SourceError; ``away`` when no broker can be reached."""

    def __init__(self, hosting: KafkaHosting, stream: str) -> None:
        self._hosting, self._wanted = hosting, topics(hosting, stream)
        self._admin: Any = None

    def close(self) -> None:
        if self._admin is not None:
            self._admin.close()
            self._admin = None

    def ensure(self) -> None:
        """Make those that are missing; set those settings that are otherwise. Refuses what would lose events."""
        there = self._there()
        missing = {name: settings for name, settings in self._wanted.items() if name not in there}
        if missing:
            wanted = {
                name: {"num_partitions": 1, "replication_factor": self._hosting.replication, "configs": settings}
                for name, settings in missing.items()
            }
            self._do(lambda admin: admin.create_topics(wanted, wait_for_metadata=True))
        for name in self._wanted.keys() - missing.keys():
            if (count := len(there[name]["partitions"])) != 1:
                raise SourceError(
                    f"the topic {name} has {count} partitions: the order of the source's binlog needs one",
                    way_out=f"delete the topic {name}, then: strangler sync resnapshot",
                )
            self._set(name)

    def id_of(self, topic: str) -> str | None:
        """None when there is no such topic. One that is made again has another."""
        found = self._there().get(topic)
        return None if found is None else str(found["topic_id"])

    def empty(self) -> None:
        """Drop all records; offsets go on from where they are."""
        self.ensure()
        partitions = [TopicPartition(name, 0) for name in self._wanted]
        # -1 stands for the end
        self._do(lambda admin: admin.delete_records(dict.fromkeys(partitions, -1), timeout_ms=ASK_MS))

    def delete(self) -> None:
        there = [name for name in self._wanted if name in self._there()]
        if there:
            self._do(lambda admin: admin.delete_topics(there, timeout_ms=ASK_MS))

    def _there(self) -> dict[str, Any]:
        found = self._do(lambda admin: admin.describe_topics(list(self._wanted)))
        return {topic["name"]: topic for topic in found if not topic["error_code"]}

    def _set(self, name: str) -> None:
        resource = ConfigResource(ConfigResourceType.TOPIC, name)
        found = self._do(lambda admin: admin.describe_configs([resource], config_filter="all"))["topic"][name]
        now = {key: str(value["value"]) for key, value in found.items()}
        if "compact" in now.get("cleanup.policy", ""):
            raise SourceError(
                f"the topic {name} has cleanup.policy = {now['cleanup.policy']}, so events of it may be gone:"
                " it must be delete",
                way_out=f"delete the topic {name}, then: strangler sync resnapshot",
            )
        other = {key: value for key, value in self._wanted[name].items() if now.get(key) != value}
        if other:
            change = ConfigResource(ConfigResourceType.TOPIC, name, other)
            self._do(lambda admin: admin.alter_configs([change]))

    def _do(self, ask: Callable[[Any], T]) -> T:
        began = time.monotonic()
        try:
            if self._admin is None:
                self._admin = KafkaAdminClient(
                    bootstrap_servers=self._hosting.servers,
                    client_id="strangler",
                    request_timeout_ms=ASK_MS,
                    bootstrap_timeout_ms=FOUND_MS,
                    reconnect_backoff_max_ms=500,
                    **self._hosting.security.client_options(),
                )
            return ask(self._admin)
        except errors.KafkaError as error:
            self.close()
            raise trouble(error, self._hosting, began) from error


def trouble(error: Exception, hosting: KafkaHosting, began: float) -> SourceError:
    """What an error of the client means, that came of something begun then (monotonic seconds)."""
    why = said_since(began)
    said = "; ".join([f"{type(error).__name__}: {error}", *why])[:1000]
    if isinstance(error, _REFUSED) or any(sign in text for text in why for sign in _REFUSED_SIGNS):
        return SourceError(
            f"Kafka at {hosting.bootstrap} does not let this account in ({said})",
            way_out="correct protocol, mechanism, user and password under [streams.kafka.security]",
        )
    if any("certificate" in text.lower() for text in why):
        return SourceError(
            f"Kafka at {hosting.bootstrap} and this side do not trust each other ({said})",
            way_out="correct ca_file and key_file under [streams.kafka.security]",
        )
    if isinstance(error, errors.AuthorizationError):
        return SourceError(
            f"Kafka at {hosting.bootstrap} does not allow this account what is needed ({said})",
            way_out="give it the rights that docs/streams.md lists",
        )
    if isinstance(error, (errors.RetriableError, errors.KafkaConnectionError)) or getattr(error, "retriable", False):
        return SourceError(f"Kafka at {hosting.bootstrap} can't be reached ({said})", away=True)
    return SourceError(f"Kafka at {hosting.bootstrap} refused: {said}", way_out="see the broker's log")
