"""What of a table belongs to whom, and the way back of a whole capability."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cdc.mapping import CapabilityMapping, TableMapping, Writes, inverse, no_way_back
from tests.cdc.ownership.shop import MAILS, ORDERS, PRICES, STOCK, mapping


def test_the_inverse_turns_each_kind_of_table_round():
    orders, stock, mails = inverse(mapping("buying")).tables
    assert (orders.table, orders.source, orders.writes) == ("orders", "purchases", Writes.ROWS)
    assert orders.key == {"id": "legacy_id"} and set(orders.columns) == {"state", "total"}
    assert (stock.table, stock.source, stock.writes) == ("items", "stock", Writes.UPDATES)
    assert stock.key == {"id": "legacy_id"} and set(stock.columns) == {"status", "reserved_by"}
    assert (mails.table, mails.writes, mails.owned) == ("mails", Writes.INSERTS, False)
    assert mails.key == {"message": "number"} and set(mails.columns) == {"body"}


def test_what_goes_forth_leaves_out_what_is_only_appended():
    assert mapping("buying").forth.tables == (ORDERS, STOCK, PRICES)


def test_a_group_owns_the_columns_that_are_made_of_it_and_follows_in_the_others():
    assert STOCK.derived == ("legacy_id", "availability", "reserved_by") and STOCK.followed == ("title",)
    assert ORDERS.derived == ("legacy_id", "state", "cents") and ORDERS.followed == ()


@pytest.mark.parametrize(
    ("tables", "words"),
    [
        ((replace(ORDERS, back={}),), "purchases has no way back"),
        ((replace(ORDERS, back={"state": "state"}),), "gives no column of orders that key is made of"),
        ((replace(STOCK, back={"id": "legacy_id", "status": "0"}),), "does not give reserved_by"),
        ((PRICES, MAILS), "has no table whose rows it could own"),
    ],
)
def test_why_there_is_no_way_back_is_said(tables: tuple[TableMapping, ...], words: str):
    mapped = CapabilityMapping("buying", tables)
    assert any(words in reason for reason in no_way_back(mapped))
    with pytest.raises(ValueError, match=words):
        inverse(mapped)


def test_a_key_of_two_columns_is_found_in_expressions():
    one = TableMapping(
        "t", "s", {"a": "UPPER(code)", "b": "`shop id`"}, {}, back={"code": "a", "shop id": "b", "x": "1"}
    )
    assert one.source_key == ("code", "shop id")
