"""What follows from sold items: orders with their items and payments; favourites and carts go by the way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from legacy_monolith.checkout.totals import FREE_SHIPPING_FROM, SHIPPING_FEE
from legacy_monolith.seed.items import BRAND_NAME, ID, LISTED, PRICE, SOLD, STATUS, TITLE
from legacy_monolith.seed.loader import Row
from legacy_monolith.seed.people import name_of, place_of
from legacy_monolith.seed.plan import ANCHOR, STAFF, Plan

COLUMNS = {
    "orders": (
        "id",
        "user_id",
        "address_id",
        "ship_to",
        "status",
        "subtotal",
        "discount",
        "shipping",
        "total",
        "store_credit_used",
        "promo_codes",
        "placed_at",
        "paid_at",
        "shipped_at",
        "delivered_at",
        "created_at",
        "updated_at",
    ),
    "order_items": (
        "order_id",
        "item_id",
        "title",
        "brand_name",
        "price",
        "discount",
        "status",
        "created_at",
        "updated_at",
    ),
    "payments": (
        "order_id",
        "amount",
        "status",
        "source",
        "gateway_key",
        "gateway_charge_id",
        "created_at",
        "updated_at",
    ),
    "favourites": ("user_id", "item_id", "created_at"),
    "carts": ("id", "user_id", "promo_codes", "created_at", "updated_at"),
    "cart_items": ("cart_id", "item_id", "price_when_added", "created_at"),
}
DELIVERED = 3
CART_EVERY = 400


@dataclass
class Follower:
    """Walks over the items chunk by chunk; ids go on from chunk to chunk."""

    plan: Plan
    orders: int = 0
    carts: int = 0
    rows: dict[str, list[Row]] = field(default_factory=dict)

    def follow(self, items: Sequence[Row]) -> dict[str, list[Row]]:
        """The rows, by table, that these items bring along."""
        self.rows = {table: [] for table in COLUMNS}
        sold = [item for item in items if item[STATUS] == SOLD]
        at = 0
        while at < len(sold):
            count = 1 + sold[at][ID] % 3
            self._order(sold[at : at + count])
            at += count
        listed = [item for item in items if item[STATUS] == LISTED]
        for item in items[::2]:
            for step in range(1 + item[ID] % 2):
                self.rows["favourites"].append((self._user(item[ID] + 31 * step), item[ID], ANCHOR))
        for first in range(0, len(listed) - 1, CART_EVERY):
            self._cart(listed[first : first + 2])
        return self.rows

    def _user(self, number: int) -> int:
        return STAFF + 1 + number * 104_729 % self.plan.customers

    def _order(self, items: Sequence[Row]) -> None:
        self.orders += 1
        order_id, user_id = self.orders, self._user(self.orders)
        subtotal = sum((Decimal(item[PRICE]) for item in items), Decimal("0.00"))
        shipping = Decimal("0.00") if subtotal >= FREE_SHIPPING_FROM else SHIPPING_FEE
        total = subtotal + shipping
        line, city, region, code = place_of(user_id)
        ship_to = f"{name_of(user_id)}\n{line}\n{code} {city} {region}\nUS"
        when: list[datetime] = [ANCHOR] * 4
        money = (subtotal, "0.00", shipping, total, "0.00")
        self.rows["orders"].append((order_id, user_id, user_id, ship_to, DELIVERED, *money, "", *when, ANCHOR, ANCHOR))
        for item in items:
            self.rows["order_items"].append(
                (order_id, item[ID], item[TITLE], item[BRAND_NAME], item[PRICE], "0.00", 0, ANCHOR, ANCHOR)
            )
        key = f"order-{order_id}"
        self.rows["payments"].append((order_id, total, 1, "tok_visa", key, f"ch_seed_{order_id}", ANCHOR, ANCHOR))

    def _cart(self, items: Sequence[Row]) -> None:
        if self.carts >= self.plan.customers:
            return
        self.carts += 1
        self.rows["carts"].append((self.carts, STAFF + self.carts, "", ANCHOR, ANCHOR))
        for item in items:
            self.rows["cart_items"].append((self.carts, item[ID], item[PRICE], ANCHOR))
