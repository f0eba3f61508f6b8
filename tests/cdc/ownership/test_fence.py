"""The triggers' text, and which tables and foreign keys the fence is about. No server."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cdc.apply.refusal import FENCE
from cdc.mapping import CapabilityMapping
from cdc.ownership.cascade import ForeignKey, crossing
from cdc.ownership.fence import Event, Guarded, guarded, message, trigger_name, triggers
from cdc.ownership.side import Side
from cdc.schema import Column, Table
from tests.cdc.ownership.shop import ORDERS, STOCK, mapping

TABLE = Table(
    "items",
    {
        "id": Column("id", "bigint", "bigint", False, True, False),
        "status": Column("status", "varchar", "varchar(9)", False, False, False, charset="utf8mb4"),
    },
    (),
    (),
    0,
)


def test_each_side_guards_what_belongs_to_the_owner():
    assert guarded(mapping("b"), Side.LEGACY) == [
        Guarded("orders"),
        Guarded("items", ("status", "reserved_by", "id"), inserts=False),
    ]
    assert guarded(mapping("b"), Side.NEW) == [
        Guarded("purchases", ("legacy_id", "state", "cents")),
        Guarded("stock", ("legacy_id", "availability", "reserved_by"), births=True),
    ]


def test_groups_of_one_table_are_guarded_together_and_a_whole_table_counts_for_all():
    other = replace(
        STOCK, table="tags", owns=("tags",), columns={"tags": "tags"}, back={"id": "legacy_id", "tags": "t"}
    )
    both = CapabilityMapping("b", (STOCK, other))
    assert guarded(both, Side.LEGACY) == [Guarded("items", ("status", "reserved_by", "id", "tags"), inserts=False)]
    whole = CapabilityMapping("b", (STOCK, replace(ORDERS, source="items"), other))
    assert guarded(whole, Side.LEGACY) == [Guarded("items")]


def test_a_group_has_no_trigger_for_inserts_and_looks_only_at_its_columns():
    update, delete = triggers("b", Side.LEGACY, Guarded("items", ("id", "STATUS"), inserts=False), TABLE)
    assert (update.event, delete.event) == (Event.UPDATE, Event.DELETE)
    assert "OLD.`id` <=> NEW.`id` AND CAST(OLD.`status` AS BINARY) <=> CAST(NEW.`status` AS BINARY)" in update.body
    assert "<=> NEW" not in delete.body
    assert update.create.startswith("CREATE TRIGGER `strangler_b_items_update` AFTER UPDATE ON `items` FOR EACH ROW")
    with pytest.raises(KeyError):
        triggers("b", Side.LEGACY, Guarded("items", ("gone",)), TABLE)


def test_names_fit_and_differ():
    assert trigger_name("buying", "orders", Event.INSERT) == "strangler_buying_orders_insert"
    long = [trigger_name("buying", "t" * 60 + end, event) for end in ("a", "b") for event in Event]
    assert len(set(long)) == 6 and all(len(name) <= 64 for name in long)
    assert all(name.startswith("strangler_buying_") for name in long)


@pytest.mark.parametrize("capability", ["buying", "c" * 64])
@pytest.mark.parametrize("table", ["orders", "t" * 64])
@pytest.mark.parametrize("side", list(Side))
def test_a_message_says_who_owns_within_what_mysql_lets_through(side: Side, table: str, capability: str):
    said = message(capability, table, side)
    assert said.startswith(FENCE) and len(said) <= 128
    assert f"belongs to {side.other}" in said and table[:8] in said


def key(child: str, parent: str, delete: str, update: str = "RESTRICT", columns: str = "ref") -> ForeignKey:
    return ForeignKey("fk", child, parent, delete, update, (columns,), ("id",))


@pytest.mark.parametrize(
    ("found", "crosses"),
    [
        (key("refunds", "orders", "CASCADE"), True),  # deleting what is ours deletes what is not
        (key("orders", "users", "SET NULL"), True),
        (key("orders", "users", "RESTRICT"), False),
        (key("orders", "orders", "CASCADE"), False),  # all ours
        (key("refunds", "users", "CASCADE"), False),  # none of it ours
        (key("items", "shops", "CASCADE"), True),  # the row of a group
        (key("items", "shops", "SET NULL"), False),  # a column of others
        (key("items", "users", "SET NULL", columns="reserved_by"), True),
        (key("favourites", "items", "CASCADE"), False),  # rows of a group's table belong to legacy
        (key("favourites", "items", "RESTRICT", "CASCADE"), True),  # its key is fenced
    ],
)
def test_foreign_keys_that_change_rows_across_the_border_are_found(found: ForeignKey, crosses: bool):
    assert bool(crossing([found], guarded(mapping("b"), Side.LEGACY))) is crosses
