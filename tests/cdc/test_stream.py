"""Copy, then stream, on real servers."""

from __future__ import annotations

import pytest

from cdc.state import StreamState
from tests.cdc.conftest import MakeLab
from tests.cdc.lab import BOTH, ITEMS, execute, one_table

pytestmark = pytest.mark.real


@BOTH
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
        status = lab.until_true(lambda status: status.lag_seconds is not None)
        assert status.state is StreamState.STREAMING
        assert status.events == 5  # three and a changed primary key, which is a delete and a create


def test_only_what_where_lets_in(mysql_legacy, mysql_new, make_lab: MakeLab):
    lab = make_lab(mysql_legacy, mysql_new, one_table(where="status = 1"))
    execute(lab.source, "INSERT INTO items (title, status) VALUES ('a', 1), ('b', 0), ('c', 1)")
    with lab.streaming():
        assert lab.new("SELECT legacy_id FROM products ORDER BY 1") == [(1,), (3,)]
        execute(lab.source, "UPDATE items SET status = 0 WHERE id = 1", "UPDATE items SET status = 1 WHERE id = 2")
        lab.settle()
        assert lab.new("SELECT legacy_id FROM products ORDER BY 1") == [(2,), (3,)]


def test_a_key_that_is_not_the_primary_key_moves_with_its_column(mysql_legacy, mysql_new, make_lab: MakeLab):
    lab = make_lab(
        mysql_legacy,
        mysql_new,
        one_table(key={"code": "LOWER(code)"}, columns={"title": "title"}),
        target_sql=(
            "CREATE TABLE products (code VARCHAR(40) CHARACTER SET latin1 PRIMARY KEY, title VARCHAR(200),"
            " boost INT NOT NULL DEFAULT 7)",
        ),
    )
    execute(lab.source, "INSERT INTO items (title, code) VALUES ('a', 'X'), ('b', 'Y')")
    with lab.streaming():
        execute(lab.target, "UPDATE products SET boost = 1")
        execute(lab.source, "UPDATE items SET code = 'Z' WHERE id = 1", "UPDATE items SET code = 'y' WHERE id = 2")
        lab.settle()
        # y is the same row as before to the new side, and keeps what only the service owns
        assert lab.new("SELECT code, title, boost FROM products ORDER BY 1") == [("y", "b", 1), ("z", "a", 7)]


def test_values_that_swap_between_rows_under_another_unique_key(mysql_legacy, mysql_new, make_lab: MakeLab):
    lab = make_lab(
        mysql_legacy,
        mysql_new,
        one_table(columns={"title": "title", "code": "code"}),
        target_sql=(
            "CREATE TABLE products (id BIGINT PRIMARY KEY AUTO_INCREMENT, legacy_id BIGINT NOT NULL UNIQUE,"
            " title VARCHAR(200), code VARCHAR(40) UNIQUE, boost INT NOT NULL DEFAULT 7) CHARACTER SET utf8mb4",
        ),
    )
    execute(lab.source, "ALTER TABLE items ADD UNIQUE (code)")
    execute(lab.source, "INSERT INTO items (title, code) VALUES ('a', 'A'), ('b', 'B')")
    with lab.streaming():
        execute(lab.target, "UPDATE products SET boost = legacy_id")
        execute(
            lab.source,
            "UPDATE items SET code = NULL WHERE id = 1",
            "UPDATE items SET code = 'A' WHERE id = 2",
            "UPDATE items SET code = 'B' WHERE id = 1",
        )
        lab.settle()
        assert lab.new("SELECT legacy_id, title, code, boost FROM products ORDER BY 1") == [
            (1, "a", "B", 1),
            (2, "b", "A", 2),
        ]


@BOTH
def test_a_null_in_a_column_with_a_default_stays_null(mysql_legacy, mysql_new, make_lab: MakeLab):
    lab = make_lab(
        mysql_legacy,
        mysql_new,
        one_table(columns={"title": "title", "code": "code"}),
        source_sql=(ITEMS, "ALTER TABLE items MODIFY code VARCHAR(40) NULL DEFAULT 'none'"),
        target_sql=(
            "CREATE TABLE products (legacy_id BIGINT PRIMARY KEY, title VARCHAR(200), code VARCHAR(40) NULL"
            " DEFAULT 'none') CHARACTER SET utf8mb4",
        ),
    )
    execute(lab.source, "INSERT INTO items (title, code) VALUES ('copied', NULL)")
    with lab.streaming():
        execute(lab.source, "INSERT INTO items (title, code) VALUES ('made', NULL), ('told', 'x')")
        execute(lab.source, "UPDATE items SET code = NULL WHERE title = 'told'")
        lab.settle()
        assert lab.new("SELECT title, code FROM products ORDER BY 1") == [
            ("copied", None),
            ("made", None),
            ("told", None),
        ]


@pytest.mark.parametrize("server", ["mysql_new", "mariadb_server"])
def test_unique_values_that_wander_leave_children_and_own_columns_alone(
    server, mysql_legacy, make_lab: MakeLab, request: pytest.FixtureRequest
):
    lab = make_lab(
        mysql_legacy,
        request.getfixturevalue(server),
        one_table(columns={"title": "title", "code": "code"}),
        source_sql=(ITEMS, "ALTER TABLE items MODIFY code VARCHAR(40) NOT NULL, ADD UNIQUE (code)"),
        target_sql=(
            "CREATE TABLE products (legacy_id BIGINT PRIMARY KEY, title VARCHAR(200), code VARCHAR(40) NOT NULL UNIQUE,"
            " boost INT NOT NULL DEFAULT 7, double_boost INT AS (boost * 2) STORED) CHARACTER SET utf8mb4",
            "CREATE TABLE pictures (id BIGINT PRIMARY KEY, product BIGINT NOT NULL,"
            " FOREIGN KEY (product) REFERENCES products (legacy_id) ON DELETE CASCADE)",
        ),
    )
    rows = ", ".join(f"({number}, 't', 'c{number}')" for number in range(1, 41))
    execute(lab.source, f"INSERT INTO items (id, title, code) VALUES {rows}")
    with lab.streaming():
        execute(lab.target, "UPDATE products SET boost = legacy_id")
        execute(lab.target, "INSERT INTO pictures SELECT legacy_id, legacy_id FROM products")
        execute(
            lab.source,
            "DELETE FROM items WHERE id = 40",
            "UPDATE items SET code = 'away' WHERE id = 39",
            # each takes its neighbour's code; the first takes what was put away, a new row the deleted one's
            "UPDATE items SET code = 'last' WHERE id = 38",
            *(f"UPDATE items SET code = 'c{number + 1}' WHERE id = {number}" for number in range(37, 0, -1)),
            "UPDATE items SET code = 'c1' WHERE id = 39",
            "INSERT INTO items (id, title, code) VALUES (41, 'new', 'c40')",
        )
        lab.settle()
        assert lab.new("SELECT legacy_id, code, boost, double_boost FROM products ORDER BY 1") == [
            *((number, f"c{number + 1}", number, number * 2) for number in range(1, 38)),
            (38, "last", 38, 76),
            (39, "c1", 39, 78),
            (41, "c40", 7, 14),
        ]
        assert lab.new("SELECT COUNT(*) FROM pictures") == [(39,)]


@BOTH
def test_truncate_is_followed(mysql_legacy, mysql_new, make_lab: MakeLab):
    lab = make_lab(mysql_legacy, mysql_new)
    execute(lab.source, "INSERT INTO items (title) VALUES ('a'), ('b')")
    with lab.streaming():
        execute(lab.source, "INSERT INTO items (title) VALUES ('c')")
        execute(lab.source, "TRUNCATE TABLE items")
        execute(lab.source, "INSERT INTO items (id, title) VALUES (5, 'e')")
        lab.settle()
        assert lab.new("SELECT legacy_id, title FROM products") == [(5, "e")]


@BOTH
def test_pause_and_go_on_and_copy_again(mysql_legacy, mysql_new, make_lab: MakeLab):
    lab = make_lab(mysql_legacy, mysql_new)
    execute(lab.source, "INSERT INTO items (title) VALUES ('a'), ('b')")
    with lab.streaming():
        lab.desk.want("paused")
        lab.until(StreamState.PAUSED)
        execute(lab.source, "DELETE FROM items WHERE id = 1", "INSERT INTO items (title) VALUES ('c')")
        lab.desk.resume()
        lab.settle()
        assert lab.new("SELECT legacy_id, title FROM products ORDER BY 1") == [(2, "b"), (3, "c")]
        execute(
            lab.target,
            "INSERT INTO products (legacy_id, title) VALUES (77, 'stray')",
            "DELETE FROM products WHERE legacy_id = 2",
        )
        execute(lab.target, "UPDATE products SET boost = 99 WHERE legacy_id = 3")
        lab.desk.resnapshot(["items"])
        lab.until_true(
            lambda status: execute(lab.target, "SELECT COUNT(*) FROM products WHERE legacy_id = 2")[0] == (1,)
        )
        lab.settle()
        assert lab.new("SELECT legacy_id, title, boost FROM products ORDER BY 1") == [(2, "b", 7), (3, "c", 99)]
        lab.desk.want("absent")
        lab.until(StreamState.ABSENT)
        assert lab.desk.position() is None


def test_a_child_before_its_parent_and_two_tables_from_one(mysql_legacy, mysql_new, make_lab: MakeLab):
    lab = make_lab(
        mysql_legacy,
        mysql_new,
        one_table(columns={"title": "title", "parent": "NULLIF(status, 0)"}),
        one_table(table="prices", columns={"cents": "price * 100"}, where="price IS NOT NULL"),
        target_sql=(
            "CREATE TABLE products (legacy_id BIGINT PRIMARY KEY, title VARCHAR(200), parent BIGINT,"
            " FOREIGN KEY (parent) REFERENCES products (legacy_id))",
            "CREATE TABLE prices (legacy_id BIGINT PRIMARY KEY, cents BIGINT,"
            " FOREIGN KEY (legacy_id) REFERENCES products (legacy_id))",
        ),
    )
    execute(lab.source, "INSERT INTO items (id, title, status) VALUES (1, 'child', 2), (2, 'parent', 0)")
    with lab.streaming():
        execute(
            lab.source,
            "INSERT INTO items (id, title, status, price) VALUES (10, 'child', 0, 1.5)",
            "INSERT INTO items (id, title, status) VALUES (11, 'parent', 0)",
            "UPDATE items SET status = 11 WHERE id = 10",
            "UPDATE items SET status = 0 WHERE id = 1",
            "DELETE FROM items WHERE id = 2",
        )
        lab.settle()
        assert lab.new("SELECT legacy_id, parent FROM products ORDER BY 1") == [(1, None), (10, 11), (11, None)]
        assert lab.new("SELECT * FROM prices") == [(10, 150)]
        execute(lab.source, "DELETE FROM items WHERE id IN (10, 11)")
        lab.settle()
        assert lab.new("SELECT legacy_id FROM products UNION ALL SELECT legacy_id FROM prices") == [(1,)]


@BOTH
def test_a_schema_change_is_followed_where_the_mapping_can_and_stops_where_not(
    mysql_legacy, mysql_new, make_lab: MakeLab
):
    lab = make_lab(mysql_legacy, mysql_new)
    execute(lab.source, "INSERT INTO items (title) VALUES ('a')")
    with lab.streaming():
        execute(lab.source, "ALTER TABLE items ADD COLUMN colour VARCHAR(20) NOT NULL DEFAULT 'red' AFTER id")
        execute(lab.source, "INSERT INTO items (colour, title) VALUES ('blue', 'b')")
        lab.settle()
        execute(lab.source, "INSERT INTO items (title) VALUES ('c')", "ALTER TABLE items DROP COLUMN price")
        error = lab.stopped()
        assert "ALTER TABLE items DROP COLUMN price" in error.message
        assert "the mapping reads items.price" in error.message
        assert lab.new("SELECT title FROM products ORDER BY 1") == [("a",), ("b",), ("c",)]
        execute(lab.source, "ALTER TABLE items ADD COLUMN price DECIMAL(10,2) NULL")
        lab.desk.resnapshot()
        lab.until(StreamState.STREAMING)
        execute(lab.source, "INSERT INTO items (title, price) VALUES ('d', 2)")
        lab.settle()
        assert lab.new("SELECT title, price_cents FROM products ORDER BY 1")[-1] == ("d", 200)


def test_rows_of_tens_of_megabytes_in_one_transaction(mysql_legacy, mysql_new, make_lab: MakeLab):
    columns = "(id INT PRIMARY KEY, scan LONGBLOB, note LONGTEXT, day DATE) CHARACTER SET utf8mb4"
    lab = make_lab(
        mysql_legacy,
        mysql_new,
        one_table(key={"id": "id"}, columns={"scan": "scan", "note": "note", "day": "day"}),
        source_sql=(f"CREATE TABLE items {columns}",),
        target_sql=(f"CREATE TABLE products {columns}",),
    )
    blob = "REPEAT(RANDOM_BYTES(1024), 40 * 1024)"
    note = "REPEAT('a\\tb\\\\c\\nü\\'', 800000)"
    with lab.streaming():
        execute(
            lab.source,
            f"INSERT INTO items VALUES (1, {blob}, NULL, '2026-01-02')",
            f"INSERT INTO items VALUES (2, {blob}, {note}, NULL), (3, 'small', 'small', '1969-12-31')",
        )
        lab.settle()
        sums = "SELECT id, LENGTH(scan), SHA1(scan), LENGTH(note), SHA1(note), day FROM {} ORDER BY id"
        assert lab.new(sums.format("products")) == execute(lab.source, sums.format("items"))
