"""The way back, proven on the rows of real servers: what would be lost is named (invariant 15)."""

from __future__ import annotations

import pytest

from cdc.mapping import TableMapping
from cdc.ownership.fence import APPLIER
from cdc.ownership.proof import at_risk, prove
from cdc.verify import VerifyError, verify_capability
from tests.cdc.lab import execute
from tests.cdc.ownership.conftest import Armed
from tests.cdc.ownership.shop import ORDERS, STOCK

pytestmark = pytest.mark.real


def forth(armed: Armed, one: TableMapping) -> str:
    """The rows as a stream brings them: both schemas are one server's."""
    columns, values = ", ".join(one.expressions), ", ".join(one.expressions.values())
    return f"REPLACE INTO {one.table} ({columns}) SELECT {values} FROM {armed.sides.legacy.schema}.{one.source}"


def test_what_would_be_lost_on_the_way_back_is_named(armed: Armed):
    legacy, new, applier = armed.sides.legacy, armed.sides.new, f"SET {APPLIER} = '{armed.name}:1'"
    execute(
        legacy,
        "INSERT INTO orders (state, total, note) VALUES ('paid', 1.10, 'x'), ('new', 2.20, NULL), ('new', 3, NULL)",
        "INSERT INTO items (title, price, status, reserved_by) VALUES ('coat', 1, 2, NULL), ('hat', 2, 0, 'ann')",
    )
    execute(new, applier, forth(armed, ORDERS), forth(armed, STOCK))
    orders, stock = prove(armed.mapping, armed.sides)
    assert (orders.table, orders.rows, orders.proven) == ("purchases", 3, True)
    assert (stock.table, stock.rows, stock.proven) == ("stock", 2, True)
    assert all(one.proven for one in at_risk(armed.mapping, armed.sides))

    execute(legacy, "UPDATE orders SET state = 'New' WHERE id = 2", "UPDATE items SET status = 7 WHERE id = 1")
    execute(new, applier, forth(armed, ORDERS), "DELETE FROM purchases WHERE legacy_id = 3")
    orders, stock = prove(armed.mapping, armed.sides)
    assert (orders.rows, orders.lost, orders.examples, orders.columns) == (2, 2, ({"id": 2}, {"id": 3}), ("state",))
    assert (stock.lost, stock.examples, stock.columns) == (1, ({"id": 1},), ("status",))

    # the service writes what legacy has no word for: 'Paid' comes back as 'paid', and would be 'PAID' again
    execute(new, applier, "UPDATE purchases SET state = 'Paid' WHERE legacy_id = 1")
    orders, stock = at_risk(armed.mapping, armed.sides)
    assert (orders.lost, orders.examples, orders.columns) == (1, ({"legacy_id": 1},), ("state",))
    assert stock.lost == 1


def test_verify_leaves_out_what_is_appended_and_repairs_through_the_fence(armed: Armed):
    legacy, new = armed.sides.legacy, armed.sides.new
    execute(
        legacy,
        "INSERT INTO orders (state, total) VALUES ('paid', 1)",
        "INSERT INTO mails (message, body) VALUES ('a', '')",
    )
    result = verify_capability(armed.mapping, legacy, new, repair=True)
    assert [table.table for table in result.tables] == ["purchases", "stock", "prices"]
    assert result.tables[0].repaired == ({"legacy_id": 1},)
    execute(legacy, "UPDATE orders SET total = 2")
    execute(new, f"UPDATE strangler.ownership SET owner = 'new' WHERE side = 'new' AND capability = '{armed.name}'")
    with pytest.raises(VerifyError, match="belongs to new itself"):
        verify_capability(armed.mapping, legacy, new, ["purchases"], repair=True)
