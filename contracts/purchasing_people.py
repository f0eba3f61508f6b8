"""The people of the purchasing contract: buyers who sign up, and a member of staff who makes the items they buy.

On any data: nothing that was there before is bought, and only the staff account has to be there already.
"""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass, field
from typing import Any

from contracts.case import require
from contracts.visitor import Answer, Visitor

#: A member of staff of the shop that is asked (the seeded one, if nothing else is said).
STAFF_EMAIL = os.environ.get("CONTRACT_STAFF_EMAIL", "staff1@shop.test")
STAFF_PASSWORD = os.environ.get("CONTRACT_STAFF_PASSWORD", "secret-pass")
PASSWORD = "long enough"
ADDRESS = {"name": "B. Uyer", "line1": "1 Pine Street", "city": "Reno", "postal_code": "89501", "country": "US"}


@dataclass
class Person:
    """Somebody who is logged in."""

    visitor: Visitor
    token: str
    account: dict[str, Any] = field(default_factory=dict)

    def ask(self, method: str, path: str, body: object = None, **headers: str) -> Answer:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.visitor.do(method, path, body, {"Authorization": f"Bearer {self.token}", **named})

    def do(self, method: str, path: str, body: object = None, status: int = 200, **headers: str) -> Any:
        """The answer's JSON. Raises Broken for another status."""
        answer = self.ask(method, path, body, **headers)
        require(answer.status == status, f"expected status {status}: {answer}")
        return answer.json if answer.body else None

    def put_in(self, *item_ids: int) -> None:
        for item_id in item_ids:
            self.do("POST", "/api/cart/items", {"item_id": item_id}, 201)

    def pay(self, key: str, status: int = 201, source: str = "tok_visa", **wish: object) -> Any:
        """POST /api/checkout under this person's own ``key``."""
        return self.do("POST", "/api/checkout", {"payment_source": source, **wish}, status, Idempotency_Key=key)

    def buy(self, *item_ids: int, **wish: object) -> Any:
        """A paid order of these items."""
        self.put_in(*item_ids)
        return self.pay(secrets.token_hex(8), **wish)["order"]


def buyer(visitor: Visitor, *, address: bool = True) -> Person:
    """Somebody new."""
    body = {"email": f"contract-{secrets.token_hex(8)}@test.example", "password": PASSWORD, "name": "Con Tract"}
    answer = visitor.do("POST", "/api/signup", body)
    require(answer.status == 201, f"nobody can sign up: {answer}")
    person = Person(visitor, answer.json["token"], answer.json["user"])
    if address:
        person.do("POST", "/api/addresses", ADDRESS, 201)
    return person


def staff(visitor: Visitor) -> Person:
    answer = visitor.do("POST", "/api/login", {"email": STAFF_EMAIL, "password": STAFF_PASSWORD})
    require(answer.status == 200, f"{STAFF_EMAIL} can't log in (see contracts/purchasing_people.py): {answer}")
    return Person(visitor, answer.json["token"], answer.json["user"])


def new_items(worker: Person, *prices: str, seller: Person | None = None, publish: bool = True) -> list[int]:
    """Items of these prices, out of a bag that stays open; listed, unless ``publish`` is false."""
    bag = (seller or worker).do("POST", "/api/bags", {}, 201)
    worker.do("POST", f"/api/bags/{bag['id']}/receive")
    category = worker.visitor.get("/api/categories").json["categories"][0]["id"]
    return [new_item(worker, bag["id"], price, category, publish=publish) for price in prices]


def new_item(worker: Person, bag_id: int, price: str, category: int, *, publish: bool = True) -> int:
    body = {"title": "Plain shirt", "price": price, "category_id": category, "condition": "like_new"}
    made: dict[str, int] = worker.do("POST", f"/api/bags/{bag_id}/items", {**body, "publish": publish}, 201)
    return made["id"]


def new_code(worker: Person, **rules: object) -> str:
    """A promotion code that nobody has used."""
    code = f"C-{secrets.token_hex(6).upper()}"
    worker.do("POST", "/api/promotions", {"code": code, "name": "contract", **rules}, 201)
    return code
