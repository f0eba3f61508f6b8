"""Copy, then stream, on real servers."""

from __future__ import annotations

import pytest

from cdc.state import StreamState
from tests.cdc.conftest import MakeLab
from tests.cdc.lab import execute

pytestmark = pytest.mark.real


def test_copies_what_was_there_then_follows(mysql_legacy, mysql_new, make_lab: MakeLab):
    lab = make_lab(mysql_legacy, mysql_new)
    execute(lab.source, "INSERT INTO items (title, price) VALUES (' a ', 1.50), ('b\tb\\\\', NULL), ('ü\n', 3)")
    with lab.streaming():
        assert lab.new("SELECT * FROM products ORDER BY 1") == [
            (1, "a", 150, 7),
            (2, "b\tb\\", None, 7),
            (3, "ü\n", 300, 7),
        ]
        execute(lab.target, "UPDATE products SET boost = 99 WHERE legacy_id = 1")
        execute(
            lab.source,
            "UPDATE items SET title = 'A' WHERE id = 1",
            "DELETE FROM items WHERE id = 2",
            "INSERT INTO items (id, title, price) VALUES (9, 'new\\\\\t', 0.01)",
            "UPDATE items SET id = 30 WHERE id = 3",
        )
        lab.settle()
        assert lab.new("SELECT * FROM products ORDER BY 1") == [
            (1, "A", 150, 99),
            (9, "new\\\t", 1, 7),
            (30, "ü\n", 300, 7),
        ]
        status = lab.desk.status()
        assert status.state is StreamState.STREAMING and status.lag_seconds is not None
        assert status.events == 5
