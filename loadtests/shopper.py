"""A shopper: one simulated person, with cookies, a log-in and a book of what the shop acknowledged.

Each method is one thing a person does; it says which statuses the person reckons with (an item that somebody else has
bought meanwhile is no error) and notes every write before it returns.
"""

from __future__ import annotations

import hashlib
import itertools
import random
import re
import time
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

import orjson
from locust.contrib.fasthttp import FastHttpSession

from loadtests.responses import NO_SIDE, Record, ResponseLog
from loadtests.writes import Write, WriteBook

#: A write is tried so often in all while nothing or "try again" comes back; repeats carry the same Idempotency-Key.
ATTEMPTS = 3
PASSWORD = "load-test-pass"
_WORD = re.compile(r"[^\W_]{3,}")

Body = dict[str, Any]


@dataclass(frozen=True)
class Notebook:
    """What a whole run writes to. ``run`` makes names unique between runs."""

    run: str
    responses: ResponseLog
    writes: WriteBook


@dataclass
class Memory:
    """What the shopper has seen: shown items by id, words of titles, where they could look next."""

    items: list[int] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    brands: list[int] = field(default_factory=list)
    categories: list[int] = field(default_factory=list)

    def remember(self, shown: list[Body]) -> None:
        self.items = [item["id"] for item in shown] or self.items
        self.words = [word for item in shown for word in _WORD.findall(item["title"])][:40] or self.words


class Shopper:
    """One person. ``number`` is unique in the run. Not for use by two greenlets at once."""

    def __init__(self, http: FastHttpSession, notebook: Notebook, number: int, chance: random.Random) -> None:
        self._http = http
        self._notebook = notebook
        self._number = number
        self._chance = chance
        self._headers: dict[str, str] = {}
        self._counter = itertools.count(1)
        self._user = 0
        self.memory = Memory()
        self.cart: list[int] = []

    # --- looking around

    def look_around(self) -> None:
        """What the start page does: brands and categories."""
        _, body = self._ask("GET", "/api/brands", "GET /api/brands")
        self.memory.brands = [brand["id"] for brand in body.get("brands", [])][:50]
        _, body = self._ask("GET", "/api/categories", "GET /api/categories")
        nodes = list(body.get("categories", []))
        for node in nodes:
            nodes.extend(node["children"])
        self.memory.categories = [node["id"] for node in nodes][:80]

    def browse(self) -> None:
        """A list, filtered one way or another."""
        query = [f"page={self._chance.choice((1, 1, 1, 2, 3))}", "per_page=24"]
        query.append(f"sort={self._chance.choice(('newest', 'newest', 'price_asc', 'price_desc'))}")
        if self.memory.categories and self._chance.random() < 0.5:
            query.append(f"category={self._chance.choice(self.memory.categories)}")
        elif self.memory.brands and self._chance.random() < 0.5:
            query.append(f"brand={self._chance.choice(self.memory.brands)}")
        if self._chance.random() < 0.2:
            query.append("max_price=60")
        self._list("&".join(query))

    def search(self) -> None:
        """A word that was in some title before."""
        word = self._chance.choice(self.memory.words) if self.memory.words else "dress"
        self._list(f"q={word}&per_page=24")

    def _list(self, query: str) -> None:
        _, body = self._ask("GET", f"/api/items?{query}", "GET /api/items")
        self.memory.remember(body.get("items", []))

    def view(self) -> None:
        """An item's page."""
        if self.memory.items:
            self._ask("GET", f"/api/items/{self._some_item()}", "GET /api/items/{id}")

    # --- the account

    def sign_up(self) -> None:
        """A new account; logged in afterwards."""
        email = f"load-{self._notebook.run}-{self._number}@shop.test"
        body = {"email": email, "password": PASSWORD, "name": f"Load {self._number}"}
        # A repeat after a lost answer may find the account made: then 409, and logging in goes on.
        status, answer = self._write("POST", "/api/signup", "POST /api/signup", body, expected=(201, 409))
        if status == 201:
            self._user = answer["user"]["id"]
            self._note("signup", email, str(self._user))
            self._log_in_with(answer["token"])
        elif status == 409:
            self.log_in()
        else:
            self._note("signup", email, "", acknowledged=False)

    def log_in(self) -> None:
        """Once more, as from another visit."""
        email = f"load-{self._notebook.run}-{self._number}@shop.test"
        body = {"email": email, "password": PASSWORD}
        status, answer = self._write("POST", "/api/login", "POST /api/login", body, expected=(200,))
        if status == 200:
            self._user = answer["user"]["id"]
            self._log_in_with(answer["token"])

    def _log_in_with(self, token: str) -> None:
        self._headers = {"Authorization": f"Bearer {token}"}
        self._note(
            "session", f"session-{self._number}-{next(self._counter)}", hashlib.sha256(token.encode()).hexdigest()
        )

    @property
    def logged_in(self) -> bool:
        return bool(self._headers)

    def add_address(self) -> None:
        line = f"{self._number} Load Street, {self._notebook.run}-{next(self._counter)}"
        body = {
            "name": f"Load {self._number}",
            "line1": line,
            "city": "Oakland",
            "postal_code": "94607",
            "country": "US",
        }
        status, answer = self._write("POST", "/api/addresses", "POST /api/addresses", body, expected=(201,), attempts=1)
        self._note("address", line, str(answer.get("id", "")), acknowledged=status == 201)

    def favourites(self) -> None:
        self._ask("GET", "/api/favourites", "GET /api/favourites", expected=(200,))

    def like(self) -> None:
        """An item that was just shown; now and then it is unliked again."""
        if not self.memory.items:
            return
        item = self._some_item()
        route = "PUT /api/favourites/{id}"
        status, _ = self._write("PUT", f"/api/favourites/{item}", route, None, expected=(204, 404))
        self._note_state("like", status, 204, item, refused=(404,))
        if status == 204 and self._chance.random() < 0.25:
            route = "DELETE /api/favourites/{id}"
            status, _ = self._write("DELETE", f"/api/favourites/{item}", route, None, expected=(204,))
            self._note_state("unlike", status, 204, item)

    # --- buying

    def put_in_cart(self) -> None:
        if not self.memory.items:
            return
        item = self._some_item()
        status, _ = self._write(
            "POST", "/api/cart/items", "POST /api/cart/items", {"item_id": item}, expected=(201, 404, 409)
        )
        self._note_state("cart_put", status, 201, item, refused=(404, 409))
        if status == 201 and item not in self.cart:
            self.cart.append(item)

    def take_from_cart(self) -> None:
        if not self.cart:
            return
        item = self.cart.pop(self._chance.randrange(len(self.cart)))
        route = "DELETE /api/cart/items/{id}"
        status, _ = self._write("DELETE", f"/api/cart/items/{item}", route, None, expected=(200,))
        self._note_state("cart_take", status, 200, item)

    def check_out(self) -> None:
        """Quote, then buy everything in the cart under one idempotency key. What somebody else was faster to buy is
        taken out of the cart for the next time."""
        if not self.cart:
            return
        _, quote = self._ask("POST", "/api/checkout/quote", "POST /api/checkout/quote", expected=(200,), body={})
        for item in set(quote.get("unavailable_items", ())) & set(self.cart):
            self.cart.remove(item)
            status, _ = self._write(
                "DELETE", f"/api/cart/items/{item}", "DELETE /api/cart/items/{id}", None, expected=(200,)
            )
            self._note_state("cart_take", status, 200, item)
        if self.cart:
            self._buy()

    def _buy(self) -> None:
        key = f"{self._notebook.run}-{self._number}-{next(self._counter)}"
        source = "tok_declined" if self._chance.random() < 0.03 else "tok_visa"
        status, answer = self._write(
            "POST",
            "/api/checkout",
            "POST /api/checkout",
            {"payment_source": source},
            expected=(201, 402, 409),
            headers={"Idempotency-Key": key},
        )
        order = answer.get("order") or {}
        if status in (201, 402):
            payment = order.get("payment") or {}
            bought = [line["item_id"] for line in order["items"]]
            data = {"status": order["status"], "total": order["total"], "items": bought, "charge": payment}
            self._note("order", key, str(order["id"]), data=data)
            self.cart = []
        elif status == 409:
            # Somebody else was faster with one of them: begin with an empty cart.
            self.cart = []
            status, _ = self._write("DELETE", "/api/cart", "DELETE /api/cart", None, expected=(204,))
            self._note("cart_empty", f"cart-{self._user}", "", acknowledged=status == 204)
        else:
            self._note("order", key, "", acknowledged=False, data={"items": list(self.cart)})
            self.cart = []

    # --- plumbing

    def _some_item(self) -> int:
        return self._chance.choice(self.memory.items)

    def _note(self, kind: str, key: str, entity: str, *, acknowledged: bool = True, data: Body | None = None) -> None:
        write = Write(int(time.time() * 1000), kind, self._user, key, entity, acknowledged, data or {})
        self._notebook.writes.note(write)

    def _note_state(self, kind: str, status: int, done: int, item: int, refused: Collection[int] = ()) -> None:
        """A write of a state (liked or not): what was refused for a reason has not happened and is not noted."""
        if status not in refused:
            self._note(kind, f"{self._user}-{item}", str(item), acknowledged=status == done)

    def _write(
        self,
        method: str,
        path: str,
        route: str,
        body: Body | None,
        *,
        expected: Collection[int],
        headers: dict[str, str] | None = None,
        attempts: int = ATTEMPTS,
    ) -> tuple[int, Body]:
        """As ``_ask``, again while no answer comes or the shop says 503 ("try again")."""
        for attempt in range(1, attempts + 1):
            status, answer = self._ask(method, path, route, expected=expected, body=body, headers=headers)
            if status not in (0, 502, 503, 504) or attempt == attempts:
                break
            time.sleep(0.2 * attempt)  # gevent's: locust has patched it
        return status, answer

    def _ask(
        self,
        method: str,
        path: str,
        route: str,
        *,
        expected: Collection[int] = (200,),
        body: Body | None = None,
        headers: dict[str, str] | None = None,
    ) -> tuple[int, Body]:
        """(status, JSON body): status 0 and {} if no answer came. Writes the record."""
        sent = {**self._headers, **(headers or {})}
        began = time.perf_counter()
        with self._http.request(
            method, path, name=route, json=body, headers=sent, catch_response=True, allow_redirects=False
        ) as response:
            content = response.content or b""
            took = int((time.perf_counter() - began) * 1e6)
            status = response.status_code or 0
            ok = status in expected
            if ok:
                response.success()
            else:
                error = getattr(response, "error", None)
                response.failure(f"{status} {error or ''} {content[:120]!r}")
        answered = response.headers or {}
        self._notebook.responses.write(
            Record(
                int(time.time() * 1000),
                self._number,
                answered.get("x-strangler-side") or NO_SIDE,
                _route(answered.get("x-strangler-route"), route),
                _version(answered.get("x-strangler-version")),
                status,
                ok,
                took,
                answered.get("x-strangler-fallback") == "1",
            )
        )
        return status, _json(content)


def _route(said: str | None, own: str) -> str:
    """What the proxy says it was; its ``*`` (claimed by no capability) and silence leave the shopper's own name."""
    return said if said and said != "*" else own


def _version(text: str | None) -> int:
    return int(text) if text and text.isdigit() else 0


def _json(content: bytes) -> Body:
    if not content:
        return {}
    try:
        body = orjson.loads(content)
    except orjson.JSONDecodeError:
        return {}  # an error page: its status is on record
    return body if isinstance(body, dict) else {}
