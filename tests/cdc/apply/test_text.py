"""Rows as LOAD DATA reads them."""

from __future__ import annotations

import pytest

from cdc.apply.text import MissingColumn, load_text


def test_values_are_told_apart():
    rows = [
        {"a": "x", "b": 1, "c": None},
        {"a": None, "b": 18446744073709551615, "c": True},
        {"a": "\\N", "b": -0.5, "c": "NULL"},
    ]
    assert load_text(rows, ("a", "b", "c")) == b"x\t1\t\\N\n\\N\t18446744073709551615\t1\n\\\\N\t-0.5\tNULL\n"


def test_what_would_end_a_cell_is_escaped():
    assert load_text([{"a": "t\tn\nb\\z\0r\rü"}], ("a",)) == "t\\tn\\nb\\\\z\\0r\rü\n".encode()


def test_nothing_of_nothing():
    assert load_text([], ("a",)) == b""


def test_strange_values_and_missing_columns_are_errors():
    with pytest.raises(MissingColumn, match="no column b"):
        load_text([{"a": 1}], ("a", "b"))
    with pytest.raises(TypeError, match="dict"):
        load_text([{"a": {}}], ("a",))
