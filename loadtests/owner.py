"""What the owner of the data holds: the legacy database and the payment gateway's ledger, read for the ledger check."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx
from sqlalchemy import Connection, create_engine

CHUNK = 500
LEDGER_PAGE = 5_000
CANCELLED = 4  # orders.status of an order that came to nothing


class OwnerUnreachable(Exception):
    """The database or the gateway can't be read; the text says which and why."""


@dataclass(frozen=True)
class Order:
    """One row of orders."""

    user: int
    status: int
    total: str
    items: tuple[int, ...]


@dataclass(frozen=True)
class Charge:
    """One captured charge of the gateway's own ledger."""

    id: str
    key: str
    amount_cents: int


@dataclass
class Holdings:
    """Everything that the owner holds of the run's users, by what the client knows it under."""

    users: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))  # email -> ids
    sessions: Counter[str] = field(default_factory=Counter)  # token hash
    addresses: Counter[str] = field(default_factory=Counter)  # first line
    favourites: Counter[str] = field(default_factory=Counter)  # "user-item"
    cart: Counter[str] = field(default_factory=Counter)  # "user-item"
    order_of_key: dict[str, list[int | None]] = field(default_factory=lambda: defaultdict(list))
    orders: dict[int, Order] = field(default_factory=dict)
    sold: Counter[int] = field(default_factory=Counter)  # item -> how often it is in an order that stands
    charges: dict[str, list[Charge]] = field(default_factory=lambda: defaultdict(list))  # gateway key -> charges


@dataclass(frozen=True)
class Wanted:
    """What to look for."""

    emails: Sequence[str]
    users: Sequence[int]
    token_hashes: Sequence[str]
    items: Sequence[int]


def read_holdings(legacy_url: str, gateway_url: str | None, wanted: Wanted) -> Holdings:
    """Blocks. Without a gateway no charges are read. Raises OwnerUnreachable."""
    holdings = Holdings()
    scheme, separator, rest = legacy_url.partition("://")
    if not separator or scheme.split("+")[0] not in ("mysql", "mariadb"):
        raise OwnerUnreachable("the legacy database is given as mysql://user:password@host:port/schema")
    engine = create_engine(f"mysql+pymysql://{rest}", connect_args={"charset": "utf8mb4"})
    try:
        with engine.connect() as connection:
            read_database(connection, holdings, wanted)
    except Exception as error:
        raise OwnerUnreachable(f"the legacy database can't be read: {error}") from error
    finally:
        engine.dispose()
    if gateway_url:
        for entry in _gateway_ledger(gateway_url):
            if entry["status"] == "captured":
                charge = Charge(entry["id"], entry["idempotency_key"], entry["amount_cents"])
                holdings.charges[charge.key].append(charge)
    return holdings


def read_database(connection: Connection, holdings: Holdings, wanted: Wanted) -> None:
    """Fills in everything but the charges."""

    def rows(sql: str, values: Sequence[Any]) -> Iterator[Any]:
        for start in range(0, len(values), CHUNK):
            chunk = tuple(values[start : start + CHUNK])
            yield from connection.exec_driver_sql(sql.format(", ".join(["%s"] * len(chunk))), chunk)

    for email, user in rows("SELECT email, id FROM users WHERE email IN ({})", wanted.emails):
        holdings.users[email].append(user)
    for (digest,) in rows("SELECT token_hash FROM sessions WHERE token_hash IN ({})", wanted.token_hashes):
        holdings.sessions[digest] += 1
    for (line,) in rows("SELECT line1 FROM addresses WHERE deleted_at IS NULL AND user_id IN ({})", wanted.users):
        holdings.addresses[line] += 1
    for user, item in rows("SELECT user_id, item_id FROM favourites WHERE user_id IN ({})", wanted.users):
        holdings.favourites[f"{user}-{item}"] += 1
    in_carts = (
        "SELECT carts.user_id, cart_items.item_id FROM cart_items JOIN carts ON carts.id = cart_items.cart_id "
        "WHERE carts.user_id IN ({})"
    )
    for user, item in rows(in_carts, wanted.users):
        holdings.cart[f"{user}-{item}"] += 1
    for key, order in rows("SELECT key_text, order_id FROM idempotency_keys WHERE user_id IN ({})", wanted.users):
        holdings.order_of_key[key].append(order)
    lines: dict[int, list[int]] = defaultdict(list)
    in_orders = (
        "SELECT order_items.order_id, order_items.item_id FROM order_items "
        "JOIN orders ON orders.id = order_items.order_id WHERE orders.user_id IN ({}) ORDER BY order_items.id"
    )
    for order, item in rows(in_orders, wanted.users):
        lines[order].append(item)
    for order, user, status, total in rows(
        "SELECT id, user_id, status, total FROM orders WHERE user_id IN ({})", wanted.users
    ):
        holdings.orders[order] = Order(user, status, f"{total:.2f}", tuple(lines[order]))
    # Whoever bought it: an item exists once. One that came back and was sold again is no double.
    standing = (
        "SELECT order_items.item_id FROM order_items JOIN orders ON orders.id = order_items.order_id "
        f"WHERE orders.status <> {CANCELLED} AND order_items.status = 0 AND order_items.item_id IN ({{}})"
    )
    for (item,) in rows(standing, wanted.items):
        holdings.sold[item] += 1


def _gateway_ledger(url: str) -> Iterable[dict[str, Any]]:
    after = 0
    with httpx.Client(base_url=url, timeout=30.0, trust_env=False) as client:
        while True:
            try:
                answer = client.get("/ledger", params={"kind": "charge", "after": after, "limit": LEDGER_PAGE})
                answer.raise_for_status()
                page = answer.json()
            except (httpx.HTTPError, ValueError) as error:
                raise OwnerUnreachable(f"the payment gateway at {url} can't be read: {error}") from error
            yield from page["entries"]
            if not page["entries"]:
                return
            after = page["next"]
