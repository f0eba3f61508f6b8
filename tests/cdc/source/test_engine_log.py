"""Statements that the engine passed over, in its log."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from cdc.source.engine_log import Unseen, listen, log_file, passed_over, unlisten

LINE = (
    "[blc-127.0.0.1:20342] WARN io.debezium.connector.binlog.BinlogStreamingChangeEventSource - Received DML"
    " 'INSERT INTO `items` (title) VALUES ('it''s')' for processing, binlog probably contains events generated with"
    " statement or mixed based replication format"
)


def test_the_statement_and_the_tables_it_names():
    statement = passed_over(LINE)
    assert statement == "INSERT INTO `items` (title) VALUES ('it''s')"
    assert passed_over("WARN something else") is None
    unseen = Unseen(("items", "title_pages"))
    unseen.note(statement)
    unseen.note("DELETE FROM other WHERE a = 'title_pages'")
    assert unseen.take() == {"items": statement}
    assert unseen.take() == {}


def test_the_log_still_goes_to_standard_error(capsys: pytest.CaptureFixture[str]):
    found: list[str] = []
    listen(found.append)
    try:
        Path(log_file()).write_text(f"first\n{LINE}\nlast\n")
        end = time.monotonic() + 5
        while not found and time.monotonic() < end:
            time.sleep(0.01)
        assert len(found) == 1
    finally:
        unlisten(found.append)
