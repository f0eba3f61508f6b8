"""Words out of Java's stack traces."""

from __future__ import annotations

from cdc.source.connect import Standing, causes

TRACE = """org.apache.kafka.connect.errors.ConnectException: An exception occurred in the change event producer.
\tat io.debezium.pipeline.ErrorHandler.setProducerThrowable(ErrorHandler.java:67)
Caused by: io.debezium.DebeziumException: Failed to read next byte from position 12
\tat com.github.shyiko.mysql.binlog.BinaryLogClient.listen(BinaryLogClient.java:1105)
\t... 3 more
Caused by: java.net.SocketException: Connection reset
\tat com.github.shyiko.mysql.binlog.io.ByteArrayInputStream.read(ByteArrayInputStream.java:260)
"""


def test_the_deepest_cause_comes_first():
    assert causes(TRACE) == [
        "java.net.SocketException: Connection reset",
        "io.debezium.DebeziumException: Failed to read next byte from position 12",
        "org.apache.kafka.connect.errors.ConnectException: An exception occurred in the change event producer.",
    ]


def test_a_failed_task_says_whether_waiting_helps():
    assert Standing("RUNNING", ("FAILED",), TRACE).error().away
    purged = "Caused by: io.debezium.DebeziumException: ... purged required binary logs ..."
    found = Standing("RUNNING", ("FAILED",), purged).error()
    assert not found.away and "resnapshot" in found.way_out


def test_running_means_connector_and_task():
    assert Standing("RUNNING", ("RUNNING",)).running
    assert not Standing("RUNNING", ()).running
    assert Standing("RUNNING", ("FAILED",)).failed and not Standing("UNASSIGNED", ()).failed
