"""What a stream asks of Kafka and Connect."""

from __future__ import annotations

from pathlib import Path

import pytest

from cdc.database import Database
from cdc.server import Flavour
from cdc.source.kafka import refuse_drift
from cdc.source.kafka_settings import (
    APPLIED,
    KafkaHosting,
    KafkaSecurity,
    changed_by_hand,
    connect_settings,
    secrets_text,
    topics,
)
from cdc.source.port import SourceError
from cdc.source.settings import Capture

CAPTURE = Capture(
    "strangler.catalog.to_new", Database("db", 3306, "u", "pass\\word", "shop"), Flavour.MYSQL, ("items",)
)
HOSTING = KafkaHosting("kafka:9092", "http://connect:8083")


def test_everything_of_a_stream_is_routed_into_one_topic_of_one_partition():
    settings = connect_settings(HOSTING, CAPTURE)
    assert settings["transforms.together.replacement"] == settings["topic.prefix"] == CAPTURE.name
    assert settings["tasks.max"] == "1"
    assert settings["exactly.once.support"] == "required"


def test_topics_lose_nothing_by_themselves():
    made = topics(KafkaHosting("k:1", "http://c", retention_hours=24), CAPTURE.name)
    assert [t["cleanup.policy"] for t in made.values()] == ["delete", "delete"]
    assert made[CAPTURE.name]["retention.ms"] == "86400000"
    assert made[f"{CAPTURE.name}.schema-history"]["retention.ms"] == "-1"
    assert (
        topics(KafkaHosting("k:1", "http://c", retention_hours=0), CAPTURE.name)[CAPTURE.name]["retention.ms"] == "-1"
    )


def test_nobody_changed_what_was_written_before():
    before = connect_settings(HOSTING, CAPTURE)
    wanted = connect_settings(HOSTING, Capture(CAPTURE.name, CAPTURE.database, Flavour.MYSQL, ("items", "brands")))
    assert wanted != before
    assert changed_by_hand({**before, "name": CAPTURE.name}, wanted) == []


def test_what_somebody_changed_is_named():
    wanted = connect_settings(HOSTING, CAPTURE)
    current = {**wanted, "snapshot.mode": "initial", "database.password": "other", "name": CAPTURE.name}
    del current["heartbeat.interval.ms"]
    assert changed_by_hand(current, wanted) == ["database.password", "heartbeat.interval.ms", "snapshot.mode"]
    with pytest.raises(SourceError, match=r"snapshot\.mode is 'initial' instead of 'no_data'") as caught:
        refuse_drift(CAPTURE.name, HOSTING, current, wanted)
    assert "heartbeat.interval.ms is 'missing' instead of '1000'" in str(caught.value)
    assert "pass" not in str(caught.value).replace("database.password", "")
    assert f"DELETE http://connect:8083/connectors/{CAPTURE.name}" in caught.value.way_out


def test_a_change_by_hand_to_what_is_wanted_anyway_is_none():
    before = connect_settings(HOSTING, CAPTURE)
    wanted = {**before, "poll.interval.ms": "50", APPLIED: "new"}
    assert changed_by_hand({**before, "poll.interval.ms": "50", APPLIED: "new"}, wanted) == []


def test_passwords_are_only_named_where_a_folder_is_shared():
    security = KafkaSecurity("SASL_SSL", "SCRAM-SHA-512", "me", 'a"b', Path("/ca.pem"))
    hosting = KafkaHosting("kafka:9092", "http://connect:8083", security, secrets=Path("/secrets"))
    settings = connect_settings(hosting, CAPTURE)
    assert settings["database.password"] == "${file:/secrets/strangler.catalog.to_new.properties:password}"
    assert not [key for key, value in settings.items() if "pass\\word" in value or 'a\\"b' in value]
    text = secrets_text(hosting, CAPTURE)
    assert "password=pass\\\\word\n" in text and "ScramLoginModule" in text and "\\\\" in text
    open_settings = connect_settings(KafkaHosting("kafka:9092", "http://connect:8083", security), CAPTURE)
    assert open_settings["database.password"] == "pass\\word"
    assert open_settings["schema.history.internal.consumer.ssl.truststore.location"] == "/ca.pem"
    assert 'password="a\\"b"' in open_settings["schema.history.internal.producer.sasl.jaas.config"]


def test_the_client_gets_the_same_security():
    options = KafkaSecurity("SASL_SSL", "PLAIN", "me", "secret", Path("/ca.pem"), Path("/me.pem")).client_options()
    assert options == {
        "security_protocol": "SASL_SSL",
        "sasl_mechanism": "PLAIN",
        "sasl_plain_username": "me",
        "sasl_plain_password": "secret",
        "ssl_cafile": "/ca.pem",
        "ssl_certfile": "/me.pem",
        "ssl_keyfile": "/me.pem",
    }
    assert "secret" not in repr(KafkaSecurity("SASL_SSL", "PLAIN", "me", "secret"))
