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
        assert (
            error.message
            == "ALTER TABLE items DROP COLUMN price: the mapping reads items.price (for products.price_cents)"
        )
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
        assert lab.stopped().message.endswith("the mapping reads items.title (for products.title)")
        execute(lab.source, "ALTER TABLE items RENAME COLUMN name TO label", "INSERT INTO items VALUES (6, 'f', NULL)")
        (mapping,) = lab.mapping.tables
        lab.mapping = replace(lab.mapping, tables=(replace(mapping, columns={"title": "label", "at": "at"}),))
        lab.desk.resume()
        assert [row[0] for row in equal(lab, legacy.format("label"), new)] == [2, 3, 4, 5, 6]
        lab.until(StreamState.STREAMING)


@pytest.mark.parametrize("server", ["mysql_legacy", "mariadb_server"])
def test_rows_that_a_foreign_key_takes_along_or_changes(
    server: str, request: pytest.FixtureRequest, mysql_new, make_lab: MakeLab
):
    """The server logs nothing of them. What can't be told from the parent's events is refused by its name."""
    lab = make_lab(
        request.getfixturevalue(server),
        mysql_new,
        one_table(columns={"title": "title", "brand": "brand_id"}),
        one_table(table="notes", source="notes", key={"id": "id"}, columns={"item": "item_id", "text": "UPPER(text)"}),
        source_sql=(
            "CREATE TABLE brands (id INT PRIMARY KEY, name VARCHAR(20))",
            "CREATE TABLE items (id BIGINT PRIMARY KEY, title VARCHAR(20), brand_id INT, CONSTRAINT of_brand"
            " FOREIGN KEY (brand_id) REFERENCES brands (id) ON DELETE SET NULL ON UPDATE CASCADE)",
            "CREATE TABLE notes (id INT PRIMARY KEY, item_id BIGINT, text VARCHAR(20), CONSTRAINT of_item"
            " FOREIGN KEY (item_id) REFERENCES items (id) ON DELETE CASCADE)",
        ),
        target_sql=(
            "CREATE TABLE products (legacy_id BIGINT PRIMARY KEY, title VARCHAR(20), brand INT, boost INT DEFAULT 7)",
            "CREATE TABLE notes (id INT PRIMARY KEY, item BIGINT, text VARCHAR(20), KEY (item))",
        ),
    )
    items = (
        "SELECT id, title, brand_id FROM items ORDER BY 1",
        "SELECT legacy_id, title, brand FROM products ORDER BY 1",
    )
    notes = "SELECT id, item_id, UPPER(text) FROM notes ORDER BY 1", "SELECT * FROM notes ORDER BY 1"
    execute(
        lab.source,
        "INSERT INTO brands VALUES (1, 'one'), (2, 'two'), (3, 'three')",
        "INSERT INTO items VALUES (1, 'a', 1), (2, 'b', 2), (3, 'c', 2), (4, 'd', 3)",
        "INSERT INTO notes VALUES (1, 1, 'x'), (2, 1, 'y'), (3, 2, 'z'), (4, 4, 'q')",
    )
    with lab.streaming():
        execute(lab.target, "UPDATE products SET boost = legacy_id")
        # deleted, and made again in the same transaction: what goes is what was there at that moment
        execute(
            lab.source,
            "DELETE FROM items WHERE id = 1",
            "INSERT INTO items VALUES (1, 'again', 2)",
            "INSERT INTO notes VALUES (5, 1, 'after')",
            "DELETE FROM brands WHERE id = 2",
        )
        assert equal(lab, *items) == [(1, "again", None), (2, "b", None), (3, "c", None), (4, "d", 3)]
        assert equal(lab, *notes) == [(3, 2, "Z"), (4, 4, "Q"), (5, 1, "AFTER")]
        execute(lab.source, "UPDATE brands SET id = 30 WHERE id = 3", "DELETE FROM brands WHERE id = 1")
        assert equal(lab, *items)[-1] == (4, "d", 30)
        assert lab.new("SELECT boost FROM products WHERE legacy_id = 4") == [(4,)]
        lab.until(StreamState.STREAMING)
        (first, second) = lab.mapping.tables
        lab.mapping = replace(lab.mapping, tables=(first, replace(second, columns={"item": "item_id + 1"})))
        lab.desk.resume()
        error = lab.stopped()
        assert "the foreign key of_item (ON DELETE CASCADE" in error.message
        assert "does not have item_id as plain columns" in error.message and "foreign_keys.accept" in error.message
        lab.accepted = frozenset({"of_item"})
        lab.desk.resume()
        status = lab.until(StreamState.STREAMING)
        assert "of_item: rows changed by this foreign key's" in str(status.detail.warnings)
