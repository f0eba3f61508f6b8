"""The engine's last words, put so that people know what to do."""

from __future__ import annotations

import pytest

from cdc.source.failure import failure


@pytest.mark.parametrize(
    "said",
    [
        ["java.net.ConnectException: Connection refused", "Connector configuration is not valid"],
        ["com.mysql.cj.jdbc.exceptions.CommunicationsException: Communications link failure"],
        ["java.io.EOFException: Failed to read next byte from position 4711"],
    ],
)
def test_a_server_that_is_away_is_waited_for(said: list[str]):
    error = failure(said)
    assert error.away
    assert str(error).startswith("the source can't be reached")


def test_a_purged_binlog_says_so_and_the_way_out():
    error = failure(["ServerException: Could not find first log file name in binary log index"])
    assert not error.away
    assert "no longer has the binlog" in str(error)
    assert "sync resnapshot" in error.way_out


def test_a_lost_schema_history():
    error = failure(["io.debezium.DebeziumException: The db history topic or its content is missing"])
    assert "schema history" in str(error) and "resnapshot" in error.way_out


def test_the_first_that_says_something_is_told_without_java():
    error = failure(
        [
            "java.lang.RuntimeException: io.debezium.DebeziumException: column  'x'\n is odd",
            "An exception occurred in the change event producer. This connector will be stopped.",
        ]
    )
    assert str(error) == "column 'x' is odd"
    assert not error.away


def test_an_incomplete_row_image():
    error = failure(["Error processing row in items, internal schema size 9, but row size 1 , restart connector"])
    assert not error.away
    assert "a binlog_row_image other than FULL" in str(error)
    assert "binlog_row_image = 'FULL'" in error.way_out and "sync resnapshot" in error.way_out


def test_a_statement_that_the_engine_cannot_read():
    error = failure(["org.antlr.v4.runtime.NoViableAltException", "io.debezium.text.ParsingException: DDL"])
    assert "can't read a statement of the source's binlog" in str(error) and "sync resnapshot" in error.way_out


def test_silence():
    assert "without saying why" in str(failure([]))
