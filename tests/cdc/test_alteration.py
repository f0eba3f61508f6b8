"""What a schema change means for a mapped table, and what is done about it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cdc.alteration import Judgement, judge
from cdc.policy import Alteration, Reaction, SchemaPolicy
from cdc.schema import Column, Table, UniqueKey
from cdc.shape import from_text, rewrites, shape_of, to_text
from cdc.statement import read_statement

ITEMS = ("shop", "items")
A = Alteration


def column(name: str, full_type: str, **more: object) -> Column:
    kind = full_type.split("(")[0].split()[0]
    made = Column(name, kind, full_type, nullable=True, has_default=True, generated=False)
    return replace(made, **more)  # type: ignore[arg-type]


def table(*columns: Column, key: tuple[str, ...] = ("id",)) -> Table:
    return Table("items", {c.name: c for c in columns}, (UniqueKey("PRIMARY", key),) if key else (), (), 0)


ID = column("id", "bigint", nullable=False)
TITLE = column("title", "varchar(20)", length=20, charset="utf8mb4", collation="utf8mb4_bin")
PRICE = column("price", "decimal(10,2)", precision=10, scale=2)
BEFORE = table(ID, TITLE, PRICE)
USED = ("id", "price")


def judged(ddl: str, after: Table | None = None, used: tuple[str, ...] = USED) -> Judgement:
    return judge(ITEMS, read_statement(ddl, "shop"), BEFORE, after, used, ddl)


@pytest.mark.parametrize(
    ("ddl", "after", "kinds"),
    [
        ("ALTER TABLE items ADD COLUMN x INT", table(ID, TITLE, PRICE, column("x", "int")), {A.ADD}),
        ("ALTER TABLE items DROP COLUMN title", table(ID, PRICE), {A.DROP}),
        ("ALTER TABLE items RENAME COLUMN title TO t", table(ID, replace(TITLE, name="t"), PRICE), {A.RENAME}),
        ("ALTER TABLE items MODIFY title TEXT", table(ID, column("title", "text"), PRICE), {A.CHANGE}),
        ("ALTER TABLE items DROP title, ADD x INT", table(ID, PRICE, column("x", "int")), {A.DROP, A.ADD}),
        ("ALTER TABLE items ADD INDEX (title)", BEFORE, set()),
        ("ALTER TABLE items DROP PRIMARY KEY, ADD PRIMARY KEY (title)", replace(
            BEFORE, unique_keys=(UniqueKey("PRIMARY", ("title",)),)), {A.CHANGE}),
        ("ALTER TABLE other ADD COLUMN x INT", None, set()),
    ],
)  # fmt: skip
def test_what_does_not_touch_what_the_mapping_reads_is_named_and_copies_nothing(
    ddl: str, after: Table | None, kinds: set[Alteration]
):
    assert judged(ddl, after) == Judgement(frozenset(kinds))


def test_rows_that_came_without_an_event_are_copied():
    swapped = judged("RENAME TABLE items TO _items_old, _items_gho TO items")
    assert swapped.kinds == {A.SWAP} and not swapped.gone
    assert swapped.copies(SchemaPolicy()) == "another table stands under the name items"
    # as the engine tells it, by two statements
    assert judged("RENAME TABLE items TO _items_old").gone
    assert judged("RENAME TABLE _items_gho TO items", BEFORE).copies(SchemaPolicy())
    assert judged("DROP DATABASE shop").gone
    partition = judged("ALTER TABLE items DROP PARTITION p0", BEFORE)
    assert partition.copies(SchemaPolicy()) == "DROP PARTITION removes rows"
    assert judged("ALTER TABLE x EXCHANGE PARTITION p WITH TABLE items").copies(SchemaPolicy())


def test_values_that_the_statement_itself_changed_are_copied_unless_that_is_ignored():
    narrower = judged("ALTER TABLE items MODIFY price INT", table(ID, TITLE, column("price", "int")))
    assert narrower.copies(SchemaPolicy()) == "items.price is of another type now"
    ignoring = SchemaPolicy(change=Reaction.IGNORE)
    assert narrower.copies(ignoring) is None and narrower.left(ignoring) == "items.price is of another type now"
    wider = judged("ALTER TABLE items MODIFY price DECIMAL(14,2)", table(ID, TITLE, replace(PRICE, precision=14)))
    assert wider.kinds == {A.CHANGE} and wider.copies(SchemaPolicy()) is None
    again = judged("ALTER TABLE items DROP COLUMN price, ADD COLUMN price DECIMAL(10,2)", BEFORE)
    assert again.copies(SchemaPolicy()) == "items.price was made anew"


def test_a_character_set_that_may_lack_letters_and_nulls_that_became_values():
    latin = judged("ALTER TABLE items CONVERT TO CHARACTER SET latin1", BEFORE)
    assert latin.kinds == {A.CHANGE} and latin.copies(SchemaPolicy()) == "items was converted to latin1"
    assert judged("ALTER TABLE items CONVERT TO CHARACTER SET utf8mb4", BEFORE).copies(SchemaPolicy()) is None
    filled = judged("ALTER TABLE items MODIFY price DECIMAL(10,2) NOT NULL", table(ID, TITLE, replace(
        PRICE, nullable=False)))  # fmt: skip
    assert filled.copies(SchemaPolicy()) == "items.price is of another type now"


def test_a_mapping_that_no_longer_fits_stops_whatever_was_chosen():
    assert judged("ALTER TABLE items DROP price", table(ID, TITLE)).lost == "the mapping reads items.price"
    assert "no primary key" in str(judged("ALTER TABLE items DROP PRIMARY KEY", table(ID, PRICE, key=())).lost)


def test_a_stop_by_choice_names_what_was_chosen():
    both = judged("ALTER TABLE items DROP title, ADD x INT", table(ID, PRICE, column("x", "int")))
    assert both.stops(SchemaPolicy()) is None
    assert both.stops(SchemaPolicy(add=Reaction.STOP)) == 'schema_changes.add = "stop"'
    with pytest.raises(ValueError, match="rows of the table that was swapped in would be lost"):
        SchemaPolicy(swap=Reaction.IGNORE)


@pytest.mark.parametrize(
    ("old", "new", "loses"),
    [
        (column("a", "int"), column("a", "bigint"), False),
        (column("a", "bigint"), column("a", "int"), True),
        (column("a", "int"), column("a", "int unsigned"), True),
        (column("a", "varchar(9)", length=9), column("a", "varchar(20)", length=20), False),
        (column("a", "varchar(9)", length=9), column("a", "varchar(8)", length=8), True),
        (column("a", "binary(9)", length=9), column("a", "binary(10)", length=10), True),  # padded
        (column("a", "text", charset="latin1"), column("a", "text", charset="utf8mb4"), False),
        (column("a", "text", charset="utf8mb4"), column("a", "text", charset="latin1"), True),
        (column("a", "text", charset="utf8mb4"), column("a", "text"), True),  # it is not known
        (column("a", "text"), column("a", "mediumtext"), False),
        (column("a", "decimal(9,2)", precision=9, scale=2), column("a", "decimal(9,1)", precision=9, scale=1), True),
        (column("a", "datetime(3)", precision=3), column("a", "datetime(6)", precision=6), False),
        (column("a", "datetime(3)", precision=3), column("a", "datetime"), True),
        (column("a", "enum('a')"), column("a", "enum('a','b')"), False),
        (column("a", "enum('a','b')"), column("a", "enum('b','a')"), True),
        (column("a", "int"), column("a", "int", nullable=False), True),
        (column("a", "int", nullable=False), column("a", "int"), False),
        (column("a", "int", generated=True), column("a", "int", generated=True), True),
        (column("a", "date"), column("a", "datetime"), True),
    ],
)  # fmt: skip
def test_only_what_is_certainly_wider_keeps_all_values(old: Column, new: Column, loses: bool):
    assert rewrites(old, new) is loses


TOLD = {
    "columns": [
        {"name": "id", "typeName": "BIGINT UNSIGNED", "length": 20, "optional": False, "autoIncremented": True},
        {"name": "title", "typeName": "VARCHAR", "charsetName": "utf8mb4", "length": 20, "optional": True},
        {"name": "price", "typeName": "NUMERIC", "length": 10, "scale": 2, "optional": True},
        {"name": "at", "typeName": "DATETIME", "length": 3, "optional": True},
        {"name": "k", "typeName": "ENUM", "length": 1, "optional": True, "enumValues": ["'a'", "'b''c'"]},
        {"name": "yes", "typeName": "BOOLEAN", "optional": False},
        {"name": "old", "typeName": "TEXT", "charsetName": "latin1", "optional": True},
    ],
    "primaryKeyColumnNames": ["id"],
}


def test_a_shape_as_the_engine_tells_it():
    shape = shape_of("items", TOLD, [BEFORE])
    assert {c.name: c.full_type for c in shape.columns.values()} == {
        "id": "bigint unsigned",
        "title": "varchar(20)",
        "price": "decimal(10,2)",
        "at": "datetime(3)",
        "k": "enum('a','b''c')",
        "yes": "tinyint",
        "old": "text",
    }
    assert shape.primary_key == ("id",)
    assert shape.columns["title"] is TITLE and shape.columns["price"] is PRICE  # with all that is known of them
    assert shape.columns["k"].members == ("a", "b'c")
    assert shape.columns["old"].charset is None  # its collation is not told, and never guessed
    assert (shape.columns["at"].precision, shape.columns["id"].unsigned) == (3, True)
    assert from_text(to_text(shape)) == shape


def test_columns_that_server_and_engine_name_differently_are_the_same():
    json = column("j", "longtext", is_json=True, charset="utf8mb4", collation="utf8mb4_bin")
    stamp = column("at", "timestamp", nullable=False)
    told = {
        "columns": [
            {"name": "id", "typeName": "BIGINT", "length": 20, "optional": True},
            {"name": "j", "typeName": "JSON", "optional": True},
            {"name": "at", "typeName": "TIMESTAMP", "optional": True},
            {"name": "price", "typeName": "DECIMAL", "length": 10, "scale": 2, "optional": False},
        ],
        "primaryKeyColumnNames": ["id"],
    }
    shape = shape_of("items", told, [table(ID, json, stamp, PRICE)])
    assert shape.columns["j"] is json and shape.columns["at"] is stamp and shape.columns["id"] is ID
    assert shape.columns["price"] == replace(PRICE, nullable=False)
