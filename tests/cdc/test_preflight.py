"""What the settings of a server show before a stream begins."""

from __future__ import annotations

import pytest

from cdc.preflight import left_out, unlogged, wrong_settings

GOOD = {
    "log_bin": "ON",
    "binlog_format": "ROW",
    "binlog_row_image": "FULL",
    "binlog_row_value_options": "",
    "binlog_order_commits": "ON",
    "init_connect": "SET NAMES utf8mb4",
}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"log_bin": "OFF"}, "writes no binlog"),
        ({"binlog_format": "MIXED"}, "SET GLOBAL binlog_format = 'ROW'"),
        ({"binlog_row_image": "NOBLOB"}, "SET GLOBAL binlog_row_image = 'FULL'"),
        ({"binlog_row_value_options": "PARTIAL_JSON"}, "SET GLOBAL binlog_row_value_options = ''"),
        ({"binlog_order_commits": "OFF"}, "SET GLOBAL binlog_order_commits = ON"),
        ({"init_connect": "SET SQL_LOG_BIN=0"}, "init_connect changes sql_log_bin for every session"),
    ],
)
def test_settings_by_which_changes_go_unseen(change: dict[str, str], words: str):
    assert wrong_settings(GOOD) == []
    (sentence,) = wrong_settings(GOOD | change)
    assert words in sentence


@pytest.mark.parametrize(
    ("only", "without", "named"),
    [
        ([], [], None),
        (["shop", "strangler"], ["test"], None),
        (["shop"], [], "the schema strangler out"),
        (["other", "strangler"], [], "the schema shop out"),
        ([], ["strangler", "shop"], "the schema shop and strangler out"),
    ],
)
def test_a_schema_that_is_left_out_of_the_binlog(only: list[str], without: list[str], named: str | None):
    found = left_out(only, without, "shop")
    assert (found == []) if named is None else (named in found[0])


def test_engines_of_which_nothing_is_logged():
    (memory,) = unlogged({"items": "InnoDB", "carts": "MEMORY", "old": "MyISAM"})
    assert "carts" in memory and "its rows go at a restart" in memory
    assert "ALTER TABLE carts ENGINE = InnoDB" in memory
