"""Schema changes as a stream meets them: chosen, stopped at, dealt with, met again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cdc.alter import After, Alterations
from cdc.apply.plan import Plan, SourceTable
from cdc.apply.stage import Staging
from cdc.apply.write import TargetTable, Writer
from cdc.database import Database
from cdc.event import Place, SchemaChange
from cdc.explain import Stopped
from cdc.ledger import Met, Stored
from cdc.mapping import CapabilityMapping
from cdc.policy import Reaction, SchemaPolicy
from cdc.schema import Column, Table, UniqueKey
from cdc.source.hosting import EngineFiles
from cdc.source.port import Resume
from cdc.spec import StreamSpec
from tests.cdc.lab import one_table

HERE = Database("h", 1, "u", "p", "shop")
CAPABILITY = CapabilityMapping("catalog", (one_table(columns={"price_cents": "price"}),))


def table(*columns: str) -> Table:
    made = {c: Column(c, "int", "int", nullable=True, has_default=True, generated=False) for c in columns}
    return Table("items", made, (UniqueKey("PRIMARY", ("id",)),), (), 0)


ITEMS = table("id", "price")
WRITER = Writer(CAPABILITY.tables[0], Staging.of(0, ITEMS, ["id", "price"]), TargetTable(ITEMS, (), False), ("id",))
PLAN = Plan({"items": SourceTable(ITEMS, WRITER.staging, (WRITER,))}, (WRITER,))


def told(*columns: str) -> dict[str, Any]:
    return {
        "columns": [{"name": name, "typeName": "INT", "optional": True} for name in columns],
        "primaryKeyColumnNames": ["id"],
    }


def altered(ddl: str, *columns: str, offset: int = 7) -> SchemaChange:
    name = ("shop", "items")
    shapes = {name: told(*columns)} if columns else {}
    return SchemaChange(0, ddl, (name,), {}, Place("u:1", "b.1", offset), "shop", shapes)


class Halts:
    """What a ledger is asked to keep of a stop by choice."""

    def __init__(self) -> None:
        self.halted: Met | None = None

    def halt(self, met: Met) -> None:
        self.halted = met


def alterations(
    policy: SchemaPolicy | None = None,
    *,
    asked: int = 1,
    halted: Met | None = None,
    now: Table | None = ITEMS,
) -> tuple[Alterations, Halts]:
    files = EngineFiles((), Path("/"), Path("/"))
    spec = StreamSpec(CAPABILITY, HERE, HERE, files, schema_changes=policy or SchemaPolicy())
    stored = Stored(Resume("{}", b""), frozenset({"items"}), 0, {"items": ITEMS}, {}, None, halted)
    ledger = Halts()
    made = Alterations(spec, ledger, stored, asked, lambda _: now, lambda t: "price" in t.columns)  # type: ignore[arg-type]
    return made, ledger


def test_a_new_shape_is_gone_on_by_and_a_statement_that_comes_again_is_nothing():
    made, _ = alterations()
    event = altered("ALTER TABLE items ADD COLUMN x INT", "id", "price", "x")
    outcome = made.meet([event], PLAN)
    assert outcome.after is After.SHAPE and not outcome.again
    made.committed(outcome)
    assert list(made.shapes["items"].columns) == ["id", "price", "x"]
    assert made.meet([event], PLAN).after is After.SAME
    elsewhere = altered("ALTER TABLE items ADD COLUMN x INT", "id", "price", "x", offset=8)
    assert made.meet([elsewhere], PLAN).after is After.SHAPE


def test_a_swap_that_the_engine_tells_as_two_is_one():
    made, _ = alterations()
    parts = [
        altered("RENAME TABLE items TO _items_old"),
        altered("RENAME TABLE _items_gho TO items", "id", "price", "extra"),
    ]
    outcome = made.meet(parts, PLAN)
    assert outcome.after is After.ANEW
    assert outcome.again == {"items": "another table stands under the name items"}
    shape = outcome.shapes["items"]
    assert shape is not None and "extra" in shape.columns
    made.committed(outcome)
    assert made.meet(parts, PLAN).after is After.SAME


def test_a_table_that_goes_has_no_shape():
    made, _ = alterations()
    outcome = made.meet([altered("DROP TABLE `shop`.`items`")], PLAN)
    assert outcome.after is After.ANEW and outcome.shapes == {"items": None}


def test_a_stop_by_choice_is_gone_past_once_the_stream_is_asked_for_again():
    policy = SchemaPolicy(add=Reaction.STOP)
    event = altered("ALTER TABLE items\n ADD COLUMN x INT", "id", "price", "x")
    made, ledger = alterations(policy)
    with pytest.raises(Stopped) as stopped:
        made.meet([event], PLAN)
    said = stopped.value.error
    assert said.message == 'ALTER TABLE items ADD COLUMN x INT: as schema_changes.add = "stop" asks for (items)'
    assert "strangler sync resume catalog, which goes on past the statement" in said.way_out
    assert (said.position, said.table) == ("u:1 @ b.1:7", "items")
    # a worker that was started again, and was not asked for anything since
    with pytest.raises(Stopped):
        alterations(policy, halted=ledger.halted)[0].meet([event], PLAN)
    assert alterations(policy, asked=2, halted=ledger.halted)[0].meet([event], PLAN).after is After.SHAPE
    with pytest.raises(Stopped):  # that was another one
        alterations(policy, asked=2, halted=ledger.halted)[0].meet(
            [altered("ALTER TABLE items ADD y INT", "id", "price", "y", offset=9)], PLAN
        )


def test_what_the_mapping_reads_and_is_gone_stops_unless_it_is_there_again():
    event = altered("ALTER TABLE items DROP COLUMN price", "id")
    with pytest.raises(Stopped) as stopped:
        alterations(SchemaPolicy(drop=Reaction.IGNORE), now=table("id"))[0].meet([event], PLAN)
    assert stopped.value.error.message == (
        "ALTER TABLE items DROP COLUMN price: the mapping reads items.price (for products.price_cents)"
    )
    assert "correct the mapping and: strangler sync resume catalog" in stopped.value.error.way_out
    outcome = alterations(now=ITEMS)[0].meet([event], PLAN)
    assert outcome.after is After.ANEW and outcome.again == {"items": "the mapping reads items.price"}


def test_what_concerns_no_mapped_table_is_nothing():
    made, _ = alterations()
    other = SchemaChange(0, "CREATE TABLE z (id INT)", (("shop", "z"),), {}, Place(None, "b.1", 1), "shop",
                         {("shop", "z"): told("id")})  # fmt: skip
    outcome = made.meet([other], PLAN)
    assert outcome.after is After.SAME and outcome.met is None
    ours = SchemaChange(0, "DROP TABLE items", (), {}, Place(None, "b.1", 1), "elsewhere", {})
    assert made.meet([ours], PLAN).after is After.SAME


def test_statements_that_were_passed_over_have_their_tables_copied():
    made, _ = alterations()
    outcome = made.unseen({"items": "INSERT INTO items VALUES (1)"}, made.meet([], PLAN))
    assert outcome.after is After.ANEW
