"""Tables that are altered, swapped and emptied by statements while a stream follows them, on real servers."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

from cdc.mapping import CapabilityMapping
from cdc.policy import Reaction, SchemaPolicy
from cdc.state import StreamState
from tests.cdc.conftest import MakeLab
from tests.cdc.lab import ITEMS, PRODUCTS, Lab, execute, one_table

pytestmark = [pytest.mark.real, pytest.mark.timeout(300)]

PARTS = """CREATE TABLE parts (id INT NOT NULL PRIMARY KEY, v INT) PARTITION BY RANGE (id) (
    PARTITION p0 VALUES LESS THAN (10), PARTITION p1 VALUES LESS THAN (20), PARTITION p2 VALUES LESS THAN MAXVALUE)"""
PIECES = "CREATE TABLE pieces (id INT PRIMARY KEY, v INT)"
PIECE = one_table(table="pieces", source="parts", key={"id": "id"}, columns={"v": "v"})


def equal(lab: Lab, legacy: str, new: str) -> list[tuple[object, ...]]:
    """Both sides give the same, once all that happened has arrived; that."""
    lab.settle()
    there = lab.new(new)
    assert there == execute(lab.source, legacy)
    return there


def products(lab: Lab) -> list[tuple[object, ...]]:
    return equal(
        lab,
        "SELECT id, TRIM(title), CAST(ROUND(price * 100) AS SIGNED) FROM items ORDER BY 1",
        "SELECT legacy_id, title, price_cents FROM products ORDER BY 1",
    )


@pytest.mark.parametrize(
    ("hosting", "server"), [("embedded", "mysql_legacy"), ("embedded", "mariadb_server"), ("kafka", "mysql_legacy")]
)
def test_no_row_is_lost_to_a_statement_that_makes_no_row_event(
    server: str, request: pytest.FixtureRequest, mysql_new, make_lab: MakeLab
):
    lab = make_lab(
        request.getfixturevalue(server),
        mysql_new,
        one_table(),
        PIECE,
        source_sql=(ITEMS, PARTS),
        target_sql=(PRODUCTS, PIECES),
    )
    execute(lab.source, "INSERT INTO items (title, price) VALUES ('a', 1), ('b', 2), ('c', 3)")
    execute(lab.source, "INSERT INTO parts VALUES (1, 1), (11, 1), (21, 1)")
    with lab.streaming():
        execute(lab.target, "UPDATE products SET boost = 99 WHERE legacy_id = 2")
        # as gh-ost does it: what is written to the ghost before the swap is in no event of the stream's tables
        execute(
            lab.source,
            "CREATE TABLE _items_gho LIKE items",
            "ALTER TABLE _items_gho ADD COLUMN extra INT",
            "INSERT INTO _items_gho (id, title, price) SELECT id, title, price FROM items WHERE id <> 3",
            "UPDATE _items_gho SET title = 'changed in the ghost' WHERE id = 1",
            "INSERT INTO _items_gho (id, title, price) VALUES (7, 'only in the ghost', 7)",
            "RENAME TABLE items TO _items_old, _items_gho TO items",
            "INSERT INTO items (id, title, price, extra) VALUES (8, 'after', 8, 1)",
        )
        assert products(lab) == [(1, "changed in the ghost", 100), (2, "b", 200), (7, "only in the ghost", 700),
                                 (8, "after", 800)]  # fmt: skip
        assert lab.new("SELECT boost FROM products WHERE legacy_id = 2") == [(99,)]  # the service's own column
        # by two statements, with a moment between in which there is no table
        execute(
            lab.source, "CREATE TABLE _items_new LIKE items", "INSERT INTO _items_new (id, title) VALUES (5, 'new')"
        )
        execute(lab.source, "RENAME TABLE items TO _items_old2")
        time.sleep(0.5)
        execute(lab.source, "RENAME TABLE _items_new TO items")
        assert products(lab) == [(5, "new", None)]
        execute(lab.source, "ALTER TABLE parts DROP PARTITION p0", "INSERT INTO parts VALUES (12, 2)")
        assert equal(lab, "SELECT * FROM parts ORDER BY 1", "SELECT * FROM pieces ORDER BY 1") == [
            (11, 1), (12, 2), (21, 1)]  # fmt: skip
        execute(lab.source, "ALTER TABLE parts TRUNCATE PARTITION p1", "UPDATE parts SET v = 5")
        assert equal(lab, "SELECT * FROM parts ORDER BY 1", "SELECT * FROM pieces ORDER BY 1") == [(21, 5)]
        lab.until(StreamState.STREAMING)


def test_a_mapping_that_no_longer_fits_and_statements_that_are_to_be_seen_first(
    mysql_legacy, mysql_new, make_lab: MakeLab
):
    lab = make_lab(mysql_legacy, mysql_new)
    lab.policy = SchemaPolicy(add=Reaction.STOP)
    execute(lab.source, "INSERT INTO items (title, price) VALUES ('a', 1), ('b', 2)")
    with lab.streaming():
        execute(
            lab.source, "INSERT INTO items (title, price) VALUES ('c', 3)", "ALTER TABLE items ADD COLUMN cents INT"
        )
        error = lab.stopped()
        assert error.message.startswith('ALTER TABLE items ADD COLUMN cents INT: as schema_changes.add = "stop" asks')
        assert lab.new("SELECT COUNT(*) FROM products") == [(3,)]
        lab.desk.resume()  # it was seen
        lab.until(StreamState.STREAMING)
        execute(lab.source, "UPDATE items SET cents = id * 7")
        execute(lab.source, "ALTER TABLE items DROP COLUMN price")
        error = lab.stopped()
        assert error.message == "ALTER TABLE items DROP COLUMN price: the mapping reads items.price"
        assert "correct the mapping and: strangler sync resume" in error.way_out
        lab.desk.resume()  # nothing was corrected
        assert "the mapping reads items.price" in lab.stopped().message
        lab.mapping = CapabilityMapping(
            lab.mapping.capability, (one_table(columns={"title": "TRIM(title)", "price_cents": "cents"}),)
        )
        lab.desk.resume()
        lab.until(StreamState.STREAMING)
        lab.settle()
        # by the new mapping, also rows that nobody wrote since
        assert lab.new("SELECT legacy_id, price_cents FROM products ORDER BY 1") == [(1, 7), (2, 14), (3, 21)]


def test_events_from_before_a_change_that_was_made_while_the_stream_was_down(
    mysql_legacy, mysql_new, make_lab: MakeLab
):
    """They are read as what they were then; and where the mapping is for the table as it is now, it waits for it."""
    lab = make_lab(
        mysql_legacy,
        mysql_new,
        one_table(columns={"title": "title", "at": "at"}),
        source_sql=("CREATE TABLE items (id BIGINT PRIMARY KEY, title VARCHAR(20), at DATETIME(3))",),
        target_sql=("CREATE TABLE products (legacy_id BIGINT PRIMARY KEY, title VARCHAR(20), at DATETIME(6))",),
    )
    legacy, new = "SELECT id, {}, at FROM items ORDER BY 1", "SELECT * FROM products ORDER BY 1"
    execute(lab.source, "INSERT INTO items VALUES (1, 'a', '2020-01-01 00:00:00.5')")
    with lab.streaming():
        lab.desk.want("paused")
        lab.until(StreamState.PAUSED)
        execute(
            lab.source,
            "INSERT INTO items VALUES (2, 'b', '2020-01-02 03:04:05.678')",  # in milliseconds, and so to be read
            "ALTER TABLE items MODIFY at DATETIME(6)",
            "INSERT INTO items VALUES (3, 'c', '2020-01-02 03:04:05.678901')",
        )
        lab.desk.resume()
        assert len(equal(lab, legacy.format("title"), new)) == 3
        lab.desk.want("paused")
        lab.until(StreamState.PAUSED)
        execute(
            lab.source,
            "INSERT INTO items VALUES (4, 'd', NULL)",
            "ALTER TABLE items RENAME COLUMN title TO name",
            "INSERT INTO items VALUES (5, 'e', NULL)",
            "DELETE FROM items WHERE id = 1",
        )
        lab.desk.resume()
        assert lab.stopped().message.endswith("the mapping reads items.title")
        lab.desk.want("paused")
        lab.until(StreamState.PAUSED)
        execute(lab.source, "ALTER TABLE items RENAME COLUMN name TO label", "INSERT INTO items VALUES (6, 'f', NULL)")
        (mapping,) = lab.mapping.tables
        lab.mapping = replace(lab.mapping, tables=(replace(mapping, columns={"title": "label", "at": "at"}),))
        lab.desk.resume()
        assert [row[0] for row in equal(lab, legacy.format("label"), new)] == [2, 3, 4, 5, 6]
        lab.until(StreamState.STREAMING)
