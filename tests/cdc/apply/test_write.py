"""The statements of a mapping, without a server."""

from __future__ import annotations

from typing import Any

from cdc.apply.stage import Staging
from cdc.apply.write import TargetTable, Writer, other_unique_keys
from cdc.mapping import TableMapping
from cdc.schema import Column, Table


def column(name: str, kind: str = "int", charset: str | None = None) -> Column:
    return Column(name, kind, kind, True, False, False, charset=charset, collation=charset and f"{charset}_bin")


def table(name: str, *columns: Column) -> Table:
    return Table(name, {c.name: c for c in columns}, (), (), 0)


SOURCE = table("items", column("id"), column("title"), column("status"))
TARGET = table("products", column("legacy_id"), column("title"), column("code", "varchar", "latin1"))


def writer(others: tuple[tuple[str, ...], ...] = (), **changes: Any) -> Writer:
    parts: dict[str, Any] = {"key": {"legacy_id": "id"}, "columns": {"title": "TRIM(title)"}, "where": None}
    mapping = TableMapping(table="products", source="items", **(parts | changes))
    staging = Staging.of(0, SOURCE, ("id", "title", "status"))
    return Writer(mapping, staging, TargetTable(TARGET, others, False), ("id",))


def test_rows_are_upserted_and_only_mapped_columns_are_touched():
    assert writer().upserts() == [
        "INSERT INTO `products` (`legacy_id`, `title`) SELECT (id) AS `legacy_id`, (TRIM(title)) AS `title`"
        " FROM `strangler_after_0` ON DUPLICATE KEY UPDATE `title` = VALUES(`title`)"
    ]
    assert writer(columns={}).upserts()[0].endswith("ON DUPLICATE KEY UPDATE `legacy_id` = VALUES(`legacy_id`)")


def test_a_first_copy_only_inserts():
    assert "DUPLICATE" not in writer().upserts(fresh=True)[0]


def test_beside_another_unique_key_no_statement_may_hit_the_other_row():
    update, insert = writer(others=(("title",),)).upserts()
    assert (
        update.startswith("UPDATE (SELECT")
        and "STRAIGHT_JOIN `products` t" in update
        and "`legacy_id` = n.`legacy_id`" in update
    )
    assert "DUPLICATE" not in insert and insert.endswith("WHERE t.`legacy_id` IS NULL")


def test_old_images_are_deleted_by_key():
    (delete,) = writer().deletes(gone=True, stored=True)
    assert delete.startswith("DELETE t FROM (SELECT * FROM (SELECT (id) AS `legacy_id`")
    assert "strangler_before_0" in delete and "NOT EXISTS" not in delete
    assert writer().deletes(gone=False, stored=True) == []


def test_rows_that_where_no_longer_lets_in_are_deleted():
    one = writer(where="status = 1 OR title IS NULL")
    (delete,) = one.deletes(gone=False, stored=True)
    assert "WHERE NOT COALESCE((status = 1 OR title IS NULL), FALSE)" in delete
    assert one.upserts()[0].count("WHERE (status = 1 OR title IS NULL)") == 1


def test_a_key_of_another_column_is_watched_and_compared_in_its_own_collation():
    one = writer(key={"code": "LOWER(title)"}, columns={})
    assert one.watched == ("title",)
    (delete,) = one.deletes(gone=True, stored=False)
    assert "CONVERT((LOWER(title)) USING latin1) COLLATE latin1_bin" in delete
    assert "NOT EXISTS" in delete  # a row whose key came out the same stays, with the service's own columns
    assert writer().watched == ()


def test_which_unique_keys_can_clash():
    unique = {"PRIMARY": ("id",), "k": ("legacy_id",), "wide": ("legacy_id", "title"), "f": (None,)}
    assert other_unique_keys(["Legacy_ID"], unique) == (("id",), ("(expression)",))
