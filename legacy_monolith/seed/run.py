"""All tables, in the order of their foreign keys."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC

from legacy_monolith.gateway.ledger import Ledger
from legacy_monolith.seed import catalog, items, orders, people, promotions
from legacy_monolith.seed.indexes import put_aside
from legacy_monolith.seed.loader import Loader
from legacy_monolith.seed.plan import Plan

#: From so many items on, the largest tables are loaded without their indexes.
BIG = 50_000
LARGEST = ("items", "favourites", "orders", "order_items", "payments")


class NotEmpty(Exception):
    """There are items already."""


def seed(
    url: str,
    plan: Plan,
    progress: Callable[[str, int], None] = lambda table, rows: None,
    gateway: Ledger | None = None,
) -> None:
    """Fills the tables of a freshly migrated schema, and ``gateway`` with what the orders' customers have paid. Raises
    NotEmpty before it writes anything."""
    loader = Loader(url, progress)
    try:
        if loader.execute("SELECT 1 FROM items LIMIT 1") or loader.execute("SELECT 1 FROM users LIMIT 1"):
            raise NotEmpty("the shop has users or items already; seeding needs a freshly migrated schema")
        _fill(loader, plan)
        if gateway is not None:
            gateway.import_charges(charges(loader))
    finally:
        loader.close()


def charges(loader: Loader) -> Iterator[tuple[str, str, int, str, str]]:
    """The payments of the schema as ``Ledger.import_charges`` takes them."""
    last = 0
    while rows := loader.execute(
        "SELECT id, gateway_charge_id, gateway_key, CAST(amount * 100 AS SIGNED), source, created_at FROM payments"
        " WHERE id > %s AND gateway_charge_id IS NOT NULL ORDER BY id LIMIT 50000",
        (last,),
    ):
        last = rows[-1][0]
        for _, charge_id, key, cents, source, at in rows:
            yield charge_id, key, cents, source, at.replace(tzinfo=UTC).isoformat(timespec="milliseconds")


def _fill(loader: Loader, plan: Plan) -> None:
    hashed = people.password_hash(plan)
    for _, ids in plan.chunks(plan.users):
        loader.load("users", people.USER_COLUMNS, people.users(ids, hashed))
        loader.load("addresses", people.ADDRESS_COLUMNS, people.addresses(ids))
        loader.load("store_credit_entries", people.CREDIT_COLUMNS, people.credits(ids))
    for _, ids in plan.chunks(plan.bags):
        loader.load("bags", people.BAG_COLUMNS, people.bags(plan, ids))
    loader.load("brands", catalog.BRAND_COLUMNS, catalog.brands(plan))
    rows, kinds = catalog.categories()
    loader.load("categories", catalog.CATEGORY_COLUMNS, rows)
    loader.load("promotions", promotions.COLUMNS, promotions.promotions())
    loader.load("promotion_brands", ("promotion_id", "brand_id"), promotions.scopes("brands"))
    loader.load("promotion_categories", ("promotion_id", "category_id"), promotions.scopes("categories"))
    with put_aside(loader, LARGEST if plan.items >= BIG else ()):
        names, follower = items.all_brand_names(plan), orders.Follower(plan)
        for number, ids in plan.chunks(plan.items):
            made = items.items(plan, number, ids, kinds, names)
            loader.load("items", items.COLUMNS, made)
            for table, follow in follower.follow(made).items():
                loader.load(table, orders.COLUMNS[table], follow)
        loader.progress("indexes", 0)
    loader.execute("ANALYZE NO_WRITE_TO_BINLOG TABLE items, orders, order_items, favourites, users")
