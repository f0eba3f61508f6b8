"""Putting up the fence, and telling what is wrong with it (invariant 13)."""

from __future__ import annotations

import secrets
from dataclasses import replace

import pytest

from cdc.mapping import CapabilityMapping
from cdc.mapping_check import check_way_back
from cdc.ownership.arm import arm, check, disarm
from cdc.ownership.arm import armed as is_armed
from cdc.ownership.fence import Event, trigger_name
from cdc.ownership.row import OwnershipError, read_both
from cdc.ownership.side import Side
from tests.cdc.lab import execute
from tests.cdc.ownership import shop
from tests.cdc.ownership.conftest import Armed
from tests.cdc.ownership.test_move import move_side, refusal

pytestmark = pytest.mark.real


def test_whatever_is_wrong_with_the_fence_is_found_and_mended(armed: Armed):
    mapping, sides = armed.mapping, armed.sides
    assert check(mapping, sides) == [] and arm(mapping, sides) == []
    dropped, changed = (trigger_name(armed.name, "orders", e) for e in (Event.DELETE, Event.INSERT))
    execute(
        sides.legacy,
        "INSERT INTO items (title, price) VALUES ('coat', 1)",
        f"DROP TRIGGER `{dropped}`",
        f"DROP TRIGGER `{changed}`",
        f"CREATE TRIGGER `{changed}` AFTER INSERT ON orders FOR EACH ROW SET @x = 1",
        f"CREATE TRIGGER `strangler_{armed.name}_old` BEFORE INSERT ON mails FOR EACH ROW SET @x = 1",
        "CREATE TRIGGER late BEFORE UPDATE ON items FOR EACH ROW SET NEW.status = 2",
    )
    found = check(mapping, sides)
    assert sorted(fault.kind for fault in found) == ["changed", "foreign", "missing"]
    assert all(fault.side is Side.LEGACY for fault in found)
    assert set(arm(mapping, sides)) == {dropped, changed}
    assert check(mapping, sides) == []

    more = CapabilityMapping(armed.name, (*mapping.tables, replace(shop.ORDERS, table="prices", source="mails")))
    assert {(fault.kind, fault.table) for fault in check(more, sides)} >= {("missing", "mails"), ("table", "prices")}

    move_side(armed, Side.LEGACY, Side.NEW, (1, 2))
    assert [fault.kind for fault in check(mapping, sides)] == ["row"]
    assert "items belongs to new" in refusal(sides.legacy, "UPDATE items SET title = 'Coat'")  # by the trigger `late`
    with pytest.raises(OwnershipError, match="new owns"):
        disarm(armed.name, sides)
    move_side(armed, Side.LEGACY, Side.LEGACY, (2, 3))
    assert len(disarm(armed.name, sides)) == 3 + 2 + 3 + 3 and disarm(armed.name, sides) == []
    assert not is_armed(armed.name, sides) and read_both(sides, armed.name) == {Side.LEGACY: None, Side.NEW: None}
    execute(sides.new, "INSERT INTO purchases VALUES (1, 'PAID', 100, 7)")


def test_what_can_not_be_fenced_is_refused_by_name_before_anything_is_done(server, fresh_schema):  # type: ignore[no-untyped-def]
    sides = shop.make(fresh_schema(server), fresh_schema(server))
    execute(
        sides.legacy,
        """CREATE TABLE refunds (id BIGINT PRIMARY KEY, order_id BIGINT,
            CONSTRAINT refund_order FOREIGN KEY (order_id) REFERENCES orders (id) ON DELETE CASCADE)""",
        "CREATE TABLE users (name VARCHAR(40) PRIMARY KEY) CHARACTER SET utf8mb4",
        "ALTER TABLE items ADD CONSTRAINT holder FOREIGN KEY (reserved_by) REFERENCES users (name) ON DELETE SET NULL",
    )
    mapping = CapabilityMapping(
        f"buying_{secrets.token_hex(3)}",
        (shop.ORDERS, shop.STOCK, replace(shop.STOCK, table="stocks", owns=("stauts",), back={"id": "legacy_id"})),
    )
    with pytest.raises(OwnershipError) as refused:
        arm(mapping, sides)
    for words in (
        "refund_order",
        "holder",
        "items has no column 'stauts': did you mean 'status'?",
        "there is no table stocks: did you mean 'stock'?",
        "stocks.back does not give stauts",
    ):
        assert words in str(refused.value)
    assert not is_armed(mapping.capability, sides)
    assert execute(sides.new, "SELECT COUNT(*) FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = DATABASE()") == [
        (0,)
    ]


def test_the_way_back_is_checked_against_both_schemas(armed: Armed):
    sides, mapping = armed.sides, armed.mapping
    assert [str(p) for p in check_way_back(mapping, sides.legacy, sides.new) if p.severity == "error"] == []
    execute(sides.legacy, "ALTER TABLE orders ADD COLUMN site INT NOT NULL, MODIFY state VARCHAR(20) NULL")
    broken = replace(shop.STOCK, back={**shop.STOCK.back, "status": "availabilty"})
    tables = tuple(broken if one is shop.STOCK else one for one in mapping.tables)
    found = check_way_back(CapabilityMapping(armed.name, tables), sides.legacy, sides.new)
    said = [(p.table, p.column, p.message) for p in found if p.severity == "error"]
    assert said == [
        ("purchases", "back.site", "the column is NOT NULL without a default, and the mapping doesn't fill it"),
        ("stock", "back.status", "table stock of the new side has no column 'availabilty'"),
    ]
