"""The seed: the same for the same seed, and as a shop would be."""

from __future__ import annotations

import argparse

import pytest
from sqlalchemy import create_engine, text

from legacy_monolith.gateway.ledger import Ledger
from legacy_monolith.migrate import upgrade
from legacy_monolith.models import Base
from legacy_monolith.seed import __main__ as command
from legacy_monolith.seed import items, orders
from legacy_monolith.seed.catalog import categories
from legacy_monolith.seed.indexes import put_aside
from legacy_monolith.seed.loader import Loader, encode
from legacy_monolith.seed.plan import CHUNK, Plan
from legacy_monolith.seed.run import LARGEST, NotEmpty, seed


def _items(plan: Plan, chunk: int = 0):
    ids = range(chunk * CHUNK + 1, chunk * CHUNK + 201)
    return items.items(plan, chunk, ids, categories()[1], items.all_brand_names(plan))


def test_the_same_seed_makes_the_same_rows_and_another_seed_others():
    plan = Plan(20_000, 7)
    assert _items(plan) == _items(plan)
    assert _items(plan) != _items(Plan(20_000, 8))
    assert _items(plan, 0)[0][1:] != _items(plan, 1)[0][1:]


def test_chunks_cover_every_id_once():
    ids = [item_id for _, chunk in Plan(1_000, 1).chunks(25_001) for item_id in chunk]
    assert ids == list(range(1, 25_002))


def test_every_sold_item_is_in_exactly_one_order():
    made = _items(Plan(20_000, 1))
    rows = orders.Follower(Plan(20_000, 1)).follow(made)
    sold = [item[items.ID] for item in made if item[items.STATUS] == items.SOLD]
    assert sorted(row[1] for row in rows["order_items"]) == sold
    liked = [(row[0], row[1]) for row in rows["favourites"]]
    assert len(set(liked)) == len(liked)


def test_lines_of_load_data_keep_awkward_text():
    assert encode(("a\tb\nc\\d", None, 1)) == "a\\tb\\nc\\\\d\t\\N\t1\n"


@pytest.mark.parametrize("written", ["999", "10000001", "many"])
def test_counts_out_of_range_are_refused(written):
    with pytest.raises((argparse.ArgumentTypeError, ValueError)):
        command.item_count(written)


def _checksums(url: str) -> dict[str, object]:
    engine = create_engine(url)
    with engine.connect() as connection:
        tables = ", ".join(sorted(Base.metadata.tables))
        rows = connection.execute(text(f"CHECKSUM TABLE {tables}")).all()
    engine.dispose()
    return {name.split(".")[1]: checksum for name, checksum in rows if not name.endswith("notification_templates")}


@pytest.mark.real
def test_two_runs_make_equal_tables_and_insert_equals_load_data(mysql_legacy, fresh_schema, monkeypatch, tmp_path):
    found, gateway = [], Ledger(tmp_path / "gateway.db")
    for way in ("file", "insert"):
        url = fresh_schema(mysql_legacy).url
        engine = create_engine(url)
        upgrade(engine)
        engine.dispose()
        if way == "insert":
            monkeypatch.setattr(
                Loader, "_load_file", lambda self, table, columns, rows: self._insert(table, columns, list(rows))
            )
        seed(url, Plan(1_000, 3), gateway=gateway)
        found.append(_checksums(url))
        engine = create_engine(url)
        with engine.connect() as connection:
            paid = connection.execute(text("SELECT COUNT(*), SUM(amount) * 100 FROM payments")).one()
        engine.dispose()
        # the second shop's payments are the first one's, so they are there already
        assert (gateway.balance()["charges"], gateway.balance()["charged_cents"]) == tuple(paid)
    assert found[0] == found[1]
    assert found[0]["items"]
    assert gateway.refund("ch_seed_1", "returned", 100)[1]
    with pytest.raises(NotEmpty):
        seed(url, Plan(1_000, 3))


@pytest.mark.real
@pytest.mark.parametrize("server", ["mysql_legacy", "mariadb_server"])
def test_indexes_put_aside_come_back_as_they_were(server, fresh_schema, request):
    url = fresh_schema(request.getfixturevalue(server)).url
    engine = create_engine(url)
    upgrade(engine)
    engine.dispose()
    loader = Loader(url)
    before = [loader.execute(f"SHOW CREATE TABLE {table}") for table in LARGEST]
    with pytest.raises(ZeroDivisionError), put_aside(loader, LARGEST):
        assert "KEY `ix_items" not in loader.execute("SHOW CREATE TABLE items")[0][1]
        raise ZeroDivisionError
    assert [loader.execute(f"SHOW CREATE TABLE {table}") for table in LARGEST] == before
    loader.close()


@pytest.mark.real
def test_foreign_keys_hold_although_they_were_not_checked(shop_url):
    engine = create_engine(shop_url)
    with engine.connect() as connection:
        for table in Base.metadata.sorted_tables:
            for key in table.foreign_keys:
                mine, other = key.parent.name, key.column
                orphans = connection.scalar(
                    text(
                        f"SELECT COUNT(*) FROM {table.name} a"
                        f" LEFT JOIN {other.table.name} b ON b.{other.name} = a.{mine}"
                        f" WHERE a.{mine} IS NOT NULL AND b.{other.name} IS NULL"
                    )
                )
                assert orphans == 0, f"{table.name}.{mine}"
    engine.dispose()


@pytest.mark.real
def test_the_command_says_what_to_do_when_it_can_not(mysql_legacy, fresh_schema, monkeypatch, capsys):
    monkeypatch.delenv("DATABASE_URL", raising=False)
    assert command.main(["--items", "1000"]) == 2
    assert "DATABASE_URL is not set" in capsys.readouterr().err
    monkeypatch.setenv("DATABASE_URL", fresh_schema(mysql_legacy).url)
    assert command.main(["--items", "1000"]) == 1
    assert "run python -m legacy_monolith.migrate first" in capsys.readouterr().err
