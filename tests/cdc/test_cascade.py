"""Which foreign keys are followed, which are refused, and what an event of a parent means."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from cdc.apply.stage import Staging
from cdc.apply.write import TargetTable, Writer
from cdc.cascade import Cascades, ForeignKey, Parents, plan_cascades
from cdc.event import Change
from cdc.schema import Column, Table, UniqueKey
from tests.cdc.lab import one_table

KEY = ForeignKey("of_brand", "items", ("brand_id",), "brands", ("id",), "CASCADE", "RESTRICT")


def table(name: str, *columns: str) -> Table:
    made = {c: Column(c, "int", "int", nullable=True, has_default=True, generated=False) for c in columns}
    return Table(name, made, (UniqueKey("PRIMARY", (columns[0],)),), (), 0)


ITEMS, BRANDS = table("items", "id", "title", "brand_id"), table("brands", "id", "name", "owner_id")
PRODUCTS = table("products", "legacy_id", "title", "brand")


def planned(*keys: ForeignKey, accepted: tuple[str, ...] = (), **mapping: Any) -> Cascades:
    one = one_table(**({"columns": {"title": "title", "brand": "`brand_id`"}} | mapping))
    staging = Staging.of(0, ITEMS, ["id", "title", "brand_id"])
    writer = Writer(one, staging, TargetTable(PRODUCTS, (), False), ("id",))
    return plan_cascades(keys, keys, [writer], {"items": ITEMS}, {"brands": BRANDS, "items": ITEMS}, accepted)


def test_a_key_that_the_mapping_holds_plainly_is_followed():
    cascades = planned(KEY)
    assert cascades.refused == () and cascades.parents() == ("brands",)
    (delete,) = cascades.effects[0].statements()
    assert delete == (
        "DELETE t FROM (SELECT DISTINCT (`id`) AS `id` FROM `strangler_before_1000`) d"
        " STRAIGHT_JOIN `products` t ON t.`brand` = d.`id`"
    )
    (emptied,) = planned(replace(KEY, on_delete="SET NULL")).effects[0].statements()
    assert emptied.startswith("UPDATE (SELECT") and emptied.endswith("SET t.`brand` = NULL")
    assert cascades.children({"brands"}) == {"items"} and cascades.children({"items"}) == set()


@pytest.mark.parametrize(
    ("keys", "mapping", "words"),
    [
        ([KEY], {"columns": {"brand": "brand_id + 1"}}, "does not have brand_id as plain columns"),
        ([KEY], {"columns": {}}, "does not have brand_id as plain columns"),
        ([replace(KEY, on_delete="SET NULL")], {"where": "brand_id IS NOT NULL"}, "makes more of brand_id"),
        ([replace(KEY, on_delete="SET NULL")], {"key": {"brand": "brand_id"}, "columns": {}}, "makes more of brand_id"),
        # what the parent itself loses or changes by another key makes no event either
        ([KEY, ForeignKey("of_owner", "brands", ("owner_id",), "owners", ("id",), "CASCADE", "RESTRICT")], {},
         "brands loses or changes rows by a foreign key itself (of_owner)"),
        ([ForeignKey("of_item", "items", ("brand_id",), "items", ("id",), "CASCADE", "RESTRICT")], {},
         "items loses or changes rows by a foreign key itself (of_item)"),
    ],
)  # fmt: skip
def test_what_a_parents_event_does_not_tell_is_refused_by_name(keys: Any, mapping: dict[str, Any], words: str):
    (sentence,) = planned(*keys, **mapping).refused
    assert words in sentence and keys[0].name in sentence
    assert planned(*keys, accepted=(keys[0].name,), **mapping) == Cascades()


def test_keys_that_only_restrict_are_none_of_it():
    assert planned(replace(KEY, on_delete="RESTRICT", on_update="NO ACTION")) == Cascades()
    assert planned(replace(KEY, child="others")) == Cascades()


def change(op: str, before: Any, after: Any, offset: int, table: str = "brands") -> Change:
    return Change(0, op, "shop", table, before, after, "u:1", "b.1", offset)


def seen(cascades: Cascades, *events: Change) -> tuple[list[bool], list[str]]:
    parents = Parents(cascades)
    return [parents.see(events, at) for at in range(len(events))], list(parents.again)


def test_a_deleted_parent_and_one_whose_key_changed():
    cascades = planned(replace(KEY, on_update="CASCADE"))
    two, three = {"id": 2, "name": "two"}, {"id": 3, "name": "two"}
    # another place, or the same key: not one update
    assert seen(cascades, change("d", two, None, 1), change("c", None, three, 2)) == ([True, False], [])
    assert seen(cascades, change("d", two, None, 1), change("c", None, two, 1)) == ([True, False], [])
    assert seen(cascades, change("d", two, None, 1), change("c", None, three, 1)) == ([False, False], ["items"])
    assert seen(cascades, change("u", two, {"id": 2, "name": "x"}, 1)) == ([False], [])
    assert seen(cascades, change("d", two, None, 1)) == ([False], ["items"])  # the rest of it may be still to come
    assert seen(cascades, change("d", two, None, 1, table="items")) == ([False], [])
    # a key with children can't be changed where that is restricted, so it was deleted
    restricting = planned(KEY)
    assert seen(restricting, change("d", two, None, 1), change("c", None, three, 1)) == ([True, False], [])
    assert seen(restricting, change("d", two, None, 1)) == ([True], [])
    # the key that is pointed at stayed, and the primary key changed: or it was another row
    by_name = planned(replace(KEY, referenced=("name",)))
    assert seen(by_name, change("d", two, None, 1), change("c", None, three, 1)) == ([False, False], ["items"])
