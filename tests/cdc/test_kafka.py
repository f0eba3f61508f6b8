"""Streams over Kafka: what may happen to broker, Connect, connector and topics."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager

import pytest
from kafka import KafkaAdminClient, TopicPartition

from cdc.source.connect import Connect
from cdc.source.kafka_settings import KafkaHosting, history_topic_of, topic_of
from cdc.source.topics import Topics
from cdc.state import StreamState
from strangler.dev.private_kafka import RunningKafka
from tests.cdc.conftest import MakeLab
from tests.cdc.lab import Lab, execute
from tests.cdc.test_kill import Writer, assert_equal

pytestmark = [pytest.mark.real, pytest.mark.timeout(400), pytest.mark.parametrize("hosting", ["kafka"])]

SOON = 120.0


@pytest.fixture
def lab(mysql_legacy, mysql_new, make_lab: MakeLab) -> Lab:  # type: ignore[no-untyped-def]
    made = make_lab(mysql_legacy, mysql_new)
    execute(made.source, "INSERT INTO items (title) VALUES ('a'), ('b')")
    return made


@contextmanager
def connect_of(kafka: RunningKafka) -> Iterator[Connect]:
    with closing(Connect(kafka.hosting)) as connect:
        yield connect


@contextmanager
def admin_of(hosting: KafkaHosting) -> Iterator[KafkaAdminClient]:
    with closing(KafkaAdminClient(bootstrap_servers=hosting.servers, **hosting.security.client_options())) as admin:
        yield admin


def wait(holds: Callable[[], bool], seconds: float = SOON) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.1)


def test_topics_and_connector_are_made_and_go_with_the_stream(lab: Lab, kafka: RunningKafka):
    name = lab.spec.name
    with lab.streaming(), connect_of(kafka) as connect, closing(Topics(kafka.hosting, name)) as topics:
        settings = connect.settings(name)
        assert settings is not None and lab.source.password not in json.dumps(settings)
        assert topics.id_of(topic_of(name)) and topics.id_of(history_topic_of(name))
        lab.desk.want("absent")
        lab.until(StreamState.ABSENT, seconds=SOON)
        assert connect.settings(name) is None
        wait(lambda: topics.id_of(topic_of(name)) is None and topics.id_of(history_topic_of(name)) is None)


def test_a_connector_changed_by_hand_is_refused_and_may_be_made_again(lab: Lab, kafka: RunningKafka):
    name = lab.spec.name
    with lab.streaming(), connect_of(kafka) as connect:
        settings = connect.settings(name)
        assert settings is not None
        connect.write(name, {**settings, "snapshot.mode": "initial"})
        error = lab.stopped(SOON)
        assert "changed by hand: snapshot.mode is 'initial' instead of 'no_data'" in error.message
        assert f"DELETE {kafka.hosting.connect}/connectors/{name}" in error.way_out
        before = lab.desk.status().events
        execute(lab.source, "INSERT INTO items (title) VALUES ('meanwhile')")
        connect.delete(name)
        lab.desk.resume()
        lab.until(StreamState.STREAMING, seconds=SOON)
        lab.settle(SOON)
        assert lab.new("SELECT title FROM products ORDER BY 1") == [("a",), ("b",), ("meanwhile",)]
        assert lab.desk.status().events == before + 1  # nothing was copied again, nothing came twice


def test_a_connector_paused_by_hand_is_woken(lab: Lab, kafka: RunningKafka):
    with lab.streaming(), connect_of(kafka) as connect:
        connect._ask("PUT", f"/connectors/{lab.spec.name}/pause")
        status = lab.until(StreamState.RETRYING, seconds=SOON)
        assert "somebody set the connector" in (status.detail.note or "")
        execute(lab.source, "INSERT INTO items (title) VALUES ('c')")
        lab.settle(SOON)


def test_kafka_away_for_a_while(lab: Lab, kafka: RunningKafka):
    with lab.streaming():
        with Writer(lab.source, seed=11, wait_seconds=0.01).writing():
            lab.until_true(lambda status: status.events > 100)
            kafka.kill("broker")
            try:
                status = lab.until(StreamState.RETRYING, seconds=SOON)
                assert status.detail.note
            finally:
                kafka.start_broker()
            before = lab.desk.status().events
            lab.until_true(lambda status: status.events > before + 100, seconds=SOON)
        lab.settle(SOON)
        assert_equal(lab)


def test_connect_killed_under_load_brings_nothing_twice(lab: Lab, kafka: RunningKafka):
    with lab.streaming():
        writer = Writer(lab.source, seed=12, wait_seconds=0.0)
        with writer.writing():
            lab.until_true(lambda status: status.events > 300, seconds=SOON)
            kafka.kill("connect")
            kafka.start_connect()
            lab.until(StreamState.STREAMING, seconds=SOON)
        lab.settle(SOON)
        assert_equal(lab)
        # each row event exactly once: the source's own count of them
        assert lab.desk.status().events == writer.row_events


def test_a_topic_that_lost_what_was_not_read_yet(lab: Lab, kafka: RunningKafka):
    with lab.streaming():
        lab.desk.want("paused")
        lab.until(StreamState.PAUSED)
        execute(lab.source, "INSERT INTO items (title) VALUES ('c')")
        time.sleep(2)
        with admin_of(kafka.hosting) as admin:
            admin.delete_records({TopicPartition(topic_of(lab.spec.name), 0): -1})
        lab.desk.resume()
        error = lab.stopped(SOON)
        assert "does not go on from where the target stands: it begins at offset" in error.message
        assert "strangler sync resnapshot" in error.way_out
        lab.desk.resnapshot()
        lab.until(StreamState.STREAMING, seconds=SOON)
        execute(lab.source, "INSERT INTO items (title) VALUES ('d')")
        lab.settle(SOON)
        assert lab.new("SELECT title FROM products ORDER BY 1") == [("a",), ("b",), ("c",), ("d",)]


def test_a_topic_that_somebody_deleted(lab: Lab, kafka: RunningKafka):
    with lab.streaming():
        with admin_of(kafka.hosting) as admin:
            admin.delete_topics([topic_of(lab.spec.name)])
        error = lab.stopped(SOON)
        assert "was deleted" in error.message or "is not there any more" in error.message
        assert "strangler sync resnapshot" in error.way_out
        lab.desk.resnapshot()
        lab.until(StreamState.STREAMING, seconds=SOON)
        execute(lab.source, "INSERT INTO items (title) VALUES ('c')")
        lab.settle(SOON)
        assert_equal(lab)


def test_a_connector_that_lost_its_place_is_noticed(lab: Lab, kafka: RunningKafka):
    name = lab.spec.name
    with lab.streaming():
        lab.desk.want("paused")
        lab.until(StreamState.PAUSED)
        with connect_of(kafka) as connect:
            connect.stop(name)
            execute(lab.source, "INSERT INTO items (title) VALUES ('lost')")
            connect.forget_offsets(name)
        lab.desk.resume()
        error = lab.stopped(SOON)
        assert "lost its place" in error.message or "schema history" in error.message
        assert "resnapshot" in error.way_out
        lab.desk.resnapshot()
        lab.until(StreamState.STREAMING, seconds=SOON)
        lab.settle(SOON)
        assert_equal(lab)


def test_a_position_of_the_other_hosting_is_refused(lab: Lab, mysql_new):  # type: ignore[no-untyped-def]
    with lab.streaming():
        lab.desk.want("paused")
        lab.until(StreamState.PAUSED)
        execute(
            lab.target,
            'UPDATE strangler.stream_position SET source_offset = \'{"file": "binlog.000001", "pos": 4}\''
            f" WHERE capability = '{lab.mapping.capability}'",
        )
        lab.desk.resume()
        error = lab.stopped(SOON)
        assert "was made embedded, and its hosting is over Kafka now" in error.message
        assert "strangler up --cdc embedded" in error.way_out
