"""Errors in words."""

from __future__ import annotations

import pymysql
import pytest

from cdc.apply.applier import Refused
from cdc.apply.plan import PlanError
from cdc.event import Change, EventError
from cdc.explain import explain, waiting_helps, words_of
from cdc.ledger import HistoryLost, TakenError
from cdc.source.port import SourceError
from cdc.spec import SpecError


def test_a_refused_event_is_told_with_position_table_key_and_event():
    change = Change(3, "u", "shop", "items", {"id": 7}, {"id": 7, "title": "x" * 500}, "u:9", "binlog.000002", 88)
    cause = pymysql.err.DataError(1406, "Data too long for column 'title' at row 1")
    told = explain("catalog", Refused(change, ("id",), cause))
    assert told.message == "an event on shop.items can't be applied: Data too long for column 'title' at row 1"
    assert (told.position, told.table, told.key) == ("u:9 @ binlog.000002:88", "items", "id=7")
    assert told.event is not None and '"title":"xxx' in told.event
    assert "strangler sync resume catalog" in told.way_out


@pytest.mark.parametrize(
    ("error", "words", "way_out"),
    [
        (EventError("strange", {"a": 1}), "strange", "sync resume catalog"),
        (PlanError(["one", "two"]), "one; two", "strangler.toml"),
        (SourceError("gone", way_out="fetch it"), "gone", "fetch it"),
        (TakenError("another"), "another", "sync resume catalog"),
        (
            pymysql.err.OperationalError(1142, "SELECT denied"),
            "a database refused: SELECT denied (error 1142)",
            "resume",
        ),
        (SpecError("strangler.toml:3: x"), "strangler.toml:3: x", "correct strangler.toml"),
        (HistoryLost("no row"), "no row", "strangler sync resnapshot catalog"),
        (
            pymysql.err.OperationalError(1045, "Access denied for user 'x'"),
            "a database does not let the stream's account in: Access denied for user 'x'",
            "was its password changed?",
        ),
        (KeyError("x"), "unexpected: KeyError: x", "the worker's log"),
    ],
)
def test_every_error_has_words_and_a_way_out(error: Exception, words: str, way_out: str):
    told = explain("catalog", error)
    assert told.message == words
    assert way_out in told.way_out


@pytest.mark.parametrize(
    ("error", "helps"),
    [
        (SourceError("away", away=True), True),
        (SourceError("wrong"), False),
        (pymysql.err.OperationalError(2003, "Can't connect"), True),
        (pymysql.err.OperationalError(1213, "Deadlock found"), True),
        (pymysql.err.OperationalError(1045, "Access denied"), False),
        (pymysql.err.InterfaceError(0, ""), True),
        (pymysql.err.IntegrityError(1062, "Duplicate entry"), False),
        (ValueError("x"), False),
    ],
)
def test_when_waiting_helps(error: Exception, helps: bool):
    assert waiting_helps(error) is helps


@pytest.mark.parametrize(
    "error",
    [
        pymysql.err.OperationalError(1114, "The table 'products' is full"),
        pymysql.err.InternalError(1021, "Disk full (/tmp/x); waiting for someone to free some space"),
        pymysql.err.OperationalError(3, "Error writing file '/tmp/x' (OS errno 28 - No space left on device)"),
    ],
)
def test_a_full_disk_is_waited_for_and_said(error: Exception):
    assert waiting_helps(error)
    assert words_of(error).startswith("a database has no room for what it is to write, and it goes on when there is")
