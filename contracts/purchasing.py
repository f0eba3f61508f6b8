"""What purchasing promises, whoever answers: carts, codes, quotes, checkout, orders, returns, store credit, bags.

Every case writes, so it makes its own people and items, and the runs on the two sides are compared as stories. It asks
the side that owns the data: the other one refuses to write.
"""

from __future__ import annotations

from contracts.case import Contract, require
from contracts.purchasing_answers import (
    BAG,
    BOUGHT,
    CART,
    CREDIT,
    ORDER,
    ORDERS,
    QUOTE,
    RESERVATION,
    RETURN,
    RETURNS,
)
from contracts.purchasing_people import Person, buyer, new_code, new_item, new_items, staff
from contracts.shape import check, check_error
from contracts.story import Story
from contracts.visitor import Visitor

CONTRACT = Contract(
    "purchasing",
    story=Story,
    routes=(
        "GET /api/cart",
        "DELETE /api/cart",
        "POST /api/cart/items",
        "DELETE /api/cart/items/{id}",
        "POST /api/cart/promotions",
        "DELETE /api/cart/promotions/{code}",
        "POST /api/checkout",
        "POST /api/checkout/quote",
        "POST /api/checkout/reservation",
        "GET /api/orders",
        "GET /api/orders/{id}",
        "POST /api/orders/{id}/ship",
        "POST /api/orders/{id}/deliver",
        "GET /api/returns",
        "POST /api/returns",
        "GET /api/returns/{id}",
        "POST /api/returns/{id}/receive",
        "POST /api/returns/{id}/refund",
        "POST /api/returns/{id}/reject",
        "GET /api/store-credit",
        "POST /api/users/{id}/store-credit",
        "GET /api/bags",
        "POST /api/bags",
        "GET /api/bags/{id}",
        "POST /api/bags/{id}/receive",
        "POST /api/bags/{id}/items",
        "POST /api/bags/{id}/close",
        "DELETE /api/items/{id}",
    ),
)
case = CONTRACT.case


@case("nobody gets in without a log-in, or with a wrong one, or as staff without being it")
def doors(visitor: Visitor) -> None:
    for method, path in (("GET", "/api/cart"), ("GET", "/api/orders/1"), ("POST", "/api/checkout/reservation")):
        check_error(visitor.do(method, path), 401, "unauthorized", None)
        check_error(visitor.do(method, path, headers={"Authorization": "Bearer wrong"}), 401, "unauthorized", None)
    person = buyer(visitor)
    for path in ("orders/1/ship", "returns/1/receive", "users/1/store-credit", "bags/1/close"):
        body = {"amount": "1.00"} if "credit" in path else None
        check_error(person.ask("POST", f"/api/{path}", body), 403, "forbidden", None)
    check_error(person.ask("DELETE", "/api/items/1"), 403, "forbidden", None)
    cookie = visitor.do("GET", "/api/cart", headers={"Cookie": f"shop_session={person.token}"})
    check(cookie, 200, CART)
    person.do("POST", "/api/logout", None, 204)


@case("bad input is said before anything else")
def bad_input(visitor: Visitor) -> None:
    person = buyer(visitor)
    bad = (
        ("/api/cart/items", {}, "item_id"),
        ("/api/cart/items", {"item_id": "7"}, "item_id"),
        ("/api/cart/items", {"item_id": 7, "more": 1}, "more"),
        ("/api/cart/items", [7], None),
        ("/api/cart/promotions", {"code": ""}, "code"),
        ("/api/cart/promotions", {"code": 7}, "code"),
        ("/api/checkout/quote", {"use_store_credit": "maybe"}, "use_store_credit"),
        ("/api/checkout", {}, "payment_source"),
        ("/api/checkout", {"payment_source": "x", "expected_total": "much"}, "expected_total"),
        ("/api/checkout", {"payment_source": "x" * 61}, "payment_source"),
        ("/api/returns", {"order_id": 1, "order_items": [], "reason": "r"}, "order_items"),
        ("/api/returns", {"order_id": 1, "order_items": ["1"], "reason": "r"}, "order_items.0"),
        ("/api/returns", {"order_id": 1, "order_items": [1], "reason": "r", "refund_to": "cash"}, "refund_to"),
        ("/api/bags", {"notes": "x" * 501}, "notes"),
    )
    for path, body, field in bad:
        check_error(person.ask("POST", path, body), 400, "invalid", field)
        check_error(visitor.do("POST", path, body), 400, "invalid", field)
    for query in ("page=0", "per_page=101", "page=x"):
        for path in ("orders", "returns", "store-credit", "bags"):
            check_error(person.ask("GET", f"/api/{path}?{query}"), 400, "invalid", query.partition("=")[0])


@case("a cart holds what is put in, once each, in that order")
def cart(visitor: Visitor) -> None:
    worker, person = staff(visitor), buyer(visitor)
    require(check(person.ask("GET", "/api/cart"), 200, CART)["items"] == [], "a new cart is not empty")
    first, second = new_items(worker, "12.50", "7.05")
    for item_id in (second, first, second):
        body = check(person.ask("POST", "/api/cart/items", {"item_id": item_id}), 201, CART)
    ids = [line["item"]["id"] for line in body["items"]]
    require(ids == [second, first], f"the cart holds {ids}")
    require(body["subtotal"] == "19.55", f"subtotal is {body['subtotal']}")
    check_error(person.ask("POST", "/api/cart/items", {"item_id": 2_000_000_000}), 404, "not_found", None)
    after = check(person.ask("DELETE", f"/api/cart/items/{second}"), 200, CART)
    require([line["item"]["id"] for line in after["items"]] == [first], "the item was not taken out")
    check(person.ask("DELETE", f"/api/cart/items/{second}"), 200, CART)
    check_error(person.ask("DELETE", "/api/cart/items/x"), 404, "not_found", None, "no such address")
    require(person.ask("DELETE", "/api/cart").status == 204, "the cart was not emptied")
    require(check(person.ask("GET", "/api/cart"), 200, CART)["items"] == [], "the emptied cart holds something")


@case("an item still in its bag can't be bought, and none that was removed")
def hidden_items(visitor: Visitor) -> None:
    worker, person = staff(visitor), buyer(visitor)
    (packed,) = new_items(worker, "5.00", publish=False)
    (removed,) = new_items(worker, "5.00")
    person.put_in(removed)
    require(worker.ask("DELETE", f"/api/items/{removed}").status == 204, "an item for sale can't be removed")
    check_error(worker.ask("DELETE", f"/api/items/{removed}"), 404, "not_found", None, "item not found")
    for item_id in (packed, removed):
        check_error(person.ask("POST", "/api/cart/items", {"item_id": item_id}), 404, "not_found", None)
    require(check(person.ask("GET", "/api/cart"), 200, CART)["items"] == [], "a removed item stays in the cart")
    (kept,) = new_items(worker, "5.00")
    person.put_in(kept)
    person.do("POST", "/api/checkout/reservation", None, 201)
    check_error(worker.ask("DELETE", f"/api/items/{kept}"), 409, "wrong_status", None)


@case("codes are entered once, in any case, and at most four of them")
def codes(visitor: Visitor) -> None:
    worker, person = staff(visitor), buyer(visitor)
    made = [new_code(worker, kind="amount", value="1.00", stackable=True) for _ in range(5)]
    for code in (made[0], made[0].lower(), *made[1:4]):
        body = check(person.ask("POST", "/api/cart/promotions", {"code": code}), 201, CART)
    require(body["promo_codes"] == made[:4], f"the codes are {body['promo_codes']}")
    check_error(person.ask("POST", "/api/cart/promotions", {"code": made[4]}), 409, "too_many_codes", "code")
    check_error(person.ask("POST", "/api/cart/promotions", {"code": "NO-SUCH-CODE"}), 404, "not_found", "code")
    off = new_code(worker, kind="amount", value="1.00", active=False)
    check_error(person.ask("POST", "/api/cart/promotions", {"code": off}), 404, "not_found", "code")
    less = check(person.ask("DELETE", f"/api/cart/promotions/{made[1].lower()}"), 200, CART)
    require(less["promo_codes"] == [made[0], *made[2:4]], "the code was not taken out")
    blank = check(person.ask("POST", "/api/cart/promotions", {"code": f"{made[4]} "}), 201, CART)
    require(blank["promo_codes"][-1] == made[4], "blanks after a code stay")


@case("a quote says what each code takes off, and why one does not count")
def quotes(visitor: Visitor) -> None:
    worker, person = staff(visitor), buyer(visitor)
    empty = check(person.ask("POST", "/api/checkout/quote", {}), 200, QUOTE)
    require((empty["total"], empty["shipping"]) == ("0.00", "0.00"), "an empty cart costs something")
    person.put_in(*new_items(worker, "33.33", "19.99", "0.05"))
    percent = new_code(worker, kind="percent", value="15.00", stackable=True)
    amount = new_code(worker, kind="amount", value="7.77", stackable=True)
    free = new_code(worker, kind="free_shipping", stackable=True)
    large = new_code(worker, kind="amount", value="50.00", min_spend="200.00")
    for code in (amount, free, percent, large):
        person.do("POST", "/api/cart/promotions", {"code": code}, 201)
    quote = check(person.ask("POST", "/api/checkout/quote", {}), 200, QUOTE)
    require([one["code"] for one in quote["discounts"]] == [percent, amount, free], "codes in the wrong order")
    require([one["amount"] for one in quote["discounts"]] == ["8.01", "7.77", "5.95"], f"{quote['discounts']}")
    require([one["reason"] for one in quote["refused_codes"]] == ["min_spend"], f"{quote['refused_codes']}")
    require((quote["discount"], quote["shipping"], quote["total"]) == ("15.78", "0.00", "37.59"), f"{quote}")
    alone = new_code(worker, kind="percent", value="10.00")
    person.do("DELETE", f"/api/cart/promotions/{large}")
    person.do("POST", "/api/cart/promotions", {"code": alone}, 201)
    refused = check(person.ask("POST", "/api/checkout/quote", {}), 200, QUOTE)["refused_codes"]
    require([one["reason"] for one in refused] == ["not_stackable"], f"{refused}")


@case("a promotion that covers some items only is shared among those")
def scopes(visitor: Visitor) -> None:
    worker, person = staff(visitor), buyer(visitor)
    roots = visitor.get("/api/categories").json["categories"]
    bag = worker.do("POST", "/api/bags", {}, 201)["id"]
    worker.do("POST", f"/api/bags/{bag}/receive")
    below = [node["id"] for node in roots[0]["children"]] or [roots[0]["id"]]
    inside = [new_item(worker, bag, price, below[0]) for price in ("10.00", "10.01", "9.99")]
    outside = new_item(worker, bag, "50.00", roots[-1]["id"])
    person.put_in(outside, *inside)
    code = new_code(worker, kind="amount", value="10.00", categories=[roots[0]["id"]])
    person.do("POST", "/api/cart/promotions", {"code": code}, 201)
    order = check(_pay(person, "scopes"), 201, BOUGHT)["order"]
    shares = {line["item_id"]: line["discount"] for line in order["items"]}
    require(shares[outside] == "0.00", "an item that is not covered got a discount")
    require(sum(round(float(share) * 100) for share in shares.values()) == 1000, f"shares are {shares}")


@case("a reservation keeps items for one buyer, who can still buy them")
def reservation(visitor: Visitor) -> None:
    worker, person, other = staff(visitor), buyer(visitor), buyer(visitor)
    check_error(person.ask("POST", "/api/checkout/reservation"), 409, "cart_empty", None)
    items = new_items(worker, "20.00", "30.00")
    other.put_in(items[0])
    person.put_in(*items)
    kept = check(person.ask("POST", "/api/checkout/reservation"), 201, RESERVATION)
    require(kept["items"] == sorted(items), f"reserved {kept['items']}")
    check(person.ask("POST", "/api/checkout/reservation"), 201, RESERVATION)
    seen = check(other.ask("GET", "/api/cart"), 200, CART)
    require([line["available"] for line in seen["items"]] == [False], "reserved for another, and said to be available")
    require(seen["subtotal"] == "0.00", "what can't be had is part of the subtotal")
    quote = check(other.ask("POST", "/api/checkout/quote", {}), 200, QUOTE)
    require(quote["unavailable_items"] == [items[0]], f"unavailable: {quote['unavailable_items']}")
    check_error(other.ask("POST", "/api/cart/items", {"item_id": items[1]}), 409, "item_unavailable", "item_id")
    check_error(other.ask("POST", "/api/checkout/reservation"), 409, "item_unavailable", "items")
    check_error(_pay(other, "gone"), 409, "item_unavailable", "items")
    check(_pay(person, "mine"), 201, BOUGHT)


@case("a paid order says what was bought, and the cart is empty")
def paid(visitor: Visitor) -> None:
    worker, person = staff(visitor), buyer(visitor)
    first, second = new_items(worker, "20.00", "12.50")
    person.put_in(first, second)
    order = check(_pay(person, "paid"), 201, BOUGHT)["order"]
    require((order["status"], order["total"]) == ("paid", "38.45"), f"{order['status']}, {order['total']}")
    require(order["payment"]["status"] == "captured", f"{order['payment']}")
    require(check(person.ask("GET", "/api/cart"), 200, CART)["items"] == [], "the cart is not empty")
    require(check(person.ask("GET", f"/api/orders/{order['id']}"), 200, ORDER) == order, "the order's page differs")
    listed = check(person.ask("GET", "/api/orders"), 200, ORDERS)["orders"]
    require([line["id"] for line in listed] == [order["id"]], f"orders: {listed}")
    check_error(buyer(visitor).ask("GET", f"/api/orders/{order['id']}"), 404, "not_found", None)
    check(worker.ask("GET", f"/api/orders/{order['id']}"), 200, ORDER)
    check_error(person.ask("POST", "/api/cart/items", {"item_id": first}), 409, "item_unavailable", "item_id")
    again = buyer(visitor)
    check_error(again.ask("GET", "/api/orders/999999999"), 404, "not_found", None)
    require(again.do("GET", "/api/orders?page=2")["orders"] == [], "a page past the end is not empty")


@case("the same key gives the same answer, and another request under it is refused")
def replay(visitor: Visitor) -> None:
    worker, person = staff(visitor), buyer(visitor)
    person.put_in(*new_items(worker, "41.00"))
    first = _pay(person, "same")
    check(first, 201, BOUGHT)
    again = _pay(person, "same")
    require((again.status, again.body) == (first.status, first.body), "the second answer is another one")
    check_error(_pay(person, "same", source="tok_other"), 409, "key_reused", "Idempotency-Key")
    check_error(_pay(person, "another"), 409, "cart_empty", None)
    missing = person.ask("POST", "/api/checkout", {"payment_source": "tok_visa"})
    check_error(missing, 400, "invalid", "Idempotency-Key")
    check_error(_pay(person, "k" * 101), 400, "invalid", "Idempotency-Key")
    require(len(person.do("GET", "/api/orders")["orders"]) == 1, "bought more than once")


@case("a declined card gives everything back")
def declined(visitor: Visitor) -> None:
    worker, person = staff(visitor), buyer(visitor)
    worker.do("POST", f"/api/users/{person.account['id']}/store-credit", {"amount": "10.00"}, 201)
    (item,) = new_items(worker, "60.00")
    code = new_code(worker, kind="percent", value="10.00", per_user_limit=1, total_limit=1)
    person.do("POST", "/api/cart/promotions", {"code": code}, 201)
    person.put_in(item)
    first = _pay(person, "no", source="tok_declined", use_store_credit=True)
    require(first.status == 402, f"expected status 402: {first}")
    error, order = first.json["error"], first.json["order"]
    require((error["code"], error["field"]) == ("payment_declined", "payment_source"), f"{error}")
    require((order["status"], order["store_credit_used"]) == ("cancelled", "10.00"), f"{order}")
    require(_pay(person, "no", source="tok_declined", use_store_credit=True).body == first.body, "another answer")
    credit = check(person.ask("GET", "/api/store-credit"), 200, CREDIT)
    require([entry["reason"] for entry in credit["entries"]] == ["given_back", "spent", "gift"], f"{credit}")
    require(credit["balance"] == "10.00", f"balance {credit['balance']}")
    person.do("POST", "/api/cart/promotions", {"code": code}, 201)
    person.put_in(item)
    bought = check(_pay(person, "yes"), 201, BOUGHT)["order"]
    require(bought["discount"] == "6.00", "the code counts as used")
    other = buyer(visitor)
    other.put_in(*new_items(worker, "60.00"))
    other.do("POST", "/api/cart/promotions", {"code": code}, 201)
    check_error(_pay(other, "used"), 409, "code_refused", "promo_codes")


@case("store credit pays first, and alone if it is enough")
def store_credit(visitor: Visitor) -> None:
    worker, person = staff(visitor), buyer(visitor)
    gift = {"amount": "100.00", "note": "for you"}
    worker.do("POST", f"/api/users/{person.account['id']}/store-credit", gift, 201)
    alone = person.buy(*new_items(worker, "90.00"), use_store_credit=True)
    require((alone["store_credit_used"], alone["payment"]) == ("90.00", None), f"{alone}")
    partly = person.buy(*new_items(worker, "30.00"), use_store_credit=True)
    require((partly["store_credit_used"], partly["payment"]["amount"]) == ("10.00", "25.95"), f"{partly}")
    credit = check(person.ask("GET", "/api/store-credit"), 200, CREDIT)
    require([entry["amount"] for entry in credit["entries"]] == ["-10.00", "-90.00", "100.00"], f"{credit}")
    page = person.do("GET", "/api/store-credit?page=2&per_page=2")
    require([entry["amount"] for entry in page["entries"]] == ["100.00"], f"{page}")
    for amount in ("0.00", "10000.01", "much", "1.005"):
        worker.ask("POST", f"/api/users/{person.account['id']}/store-credit", {"amount": amount})


@case("checkout wants an address of one's own, and the total that was expected")
def conditions(visitor: Visitor) -> None:
    worker, person, other = staff(visitor), buyer(visitor, address=False), buyer(visitor)
    (item,) = new_items(worker, "20.00")
    person.put_in(item)
    check_error(_pay(person, "a"), 400, "invalid", "address_id")
    theirs = other.do("GET", "/api/addresses")["addresses"][0]["id"]
    check_error(_pay(person, "b", address_id=theirs), 400, "invalid", "address_id")
    address = {"name": "P", "line1": "2 Oak", "line2": "Apt 3", "city": "Elko", "region": "NV", "postal_code": "89801"}
    mine = person.do("POST", "/api/addresses", {**address, "country": "US"}, 201)["id"]
    check_error(_pay(person, "c", expected_total="25.94"), 409, "total_changed", "expected_total")
    order = check(_pay(person, "d", address_id=mine, expected_total="25.95"), 201, BOUGHT)["order"]
    require(order["ship_to"] == ["P", "2 Oak", "Apt 3", "89801 Elko NV", "US"], f"{order['ship_to']}")
    dropped = new_code(worker, kind="amount", value="1.00")
    person.do("POST", "/api/cart/promotions", {"code": dropped}, 201)
    person.put_in(*new_items(worker, "20.00"))
    late = new_code(worker, kind="amount", value="1.00", starts_at="2090-01-01T00:00:00-08:00")
    person.do("POST", "/api/cart/promotions", {"code": late}, 201)
    check_error(_pay(person, "e"), 409, "code_refused", "promo_codes")


@case("staff send a paid order off and note that it has arrived")
def shipping(visitor: Visitor) -> None:
    worker, person = staff(visitor), buyer(visitor)
    order = person.buy(*new_items(worker, "80.00"))
    require(order["shipping"] == "0.00", "a large order pays for shipping")
    check_error(worker.ask("POST", f"/api/orders/{order['id']}/deliver"), 409, "wrong_status", None)
    shipped = check(worker.ask("POST", f"/api/orders/{order['id']}/ship"), 200, ORDER)
    require(shipped["shipped_at"] is not None, "nobody knows when it was sent")
    check_error(worker.ask("POST", f"/api/orders/{order['id']}/ship"), 409, "wrong_status", None)
    check(worker.ask("POST", f"/api/orders/{order['id']}/deliver"), 200, ORDER)
    check_error(worker.ask("POST", "/api/orders/999999999/ship"), 404, "not_found", None)
    require(person.do("GET", f"/api/orders/{order['id']}")["status"] == "delivered", "not delivered")


@case("a return is asked for, received, refunded once, and its item listed again")
def returned(visitor: Visitor) -> None:
    worker, person = staff(visitor), buyer(visitor)
    order = person.buy(*new_items(worker, "20.00", "30.00"))
    first, second = order["items"]
    wish = {"order_id": order["id"], "order_items": [first["id"]], "reason": "too small"}
    check_error(buyer(visitor).ask("POST", "/api/returns", wish), 404, "not_found", None)
    check_error(person.ask("POST", "/api/returns", {**wish, "order_items": [1]}), 400, "invalid", "order_items")
    asked = check(person.ask("POST", "/api/returns", wish), 201, RETURN)
    check_error(person.ask("POST", "/api/returns", wish), 409, "already_returned", "order_items")
    path = f"/api/returns/{asked['id']}"
    check_error(worker.ask("POST", f"{path}/refund"), 409, "wrong_status", None)
    check_error(worker.ask("POST", f"{path}/receive", {"restock": [1]}), 400, "invalid", "restock")
    received = check(worker.ask("POST", f"{path}/receive", {}), 200, RETURN)
    require(received["items"][0]["restocked"] is True, "not restocked")
    done = check(worker.ask("POST", f"{path}/refund"), 200, RETURN)
    require(done["refund"]["card_amount"] == "20.00", f"{done['refund']}")
    require(worker.do("POST", f"{path}/refund") == done, "the second refund is another one")
    require(person.do("GET", f"/api/orders/{order['id']}")["status"] == "partly_returned", "not partly returned")
    buyer(visitor).put_in(first["item_id"])
    rest = {"order_id": order["id"], "order_items": [second["id"]], "reason": "all", "refund_to": "store_credit"}
    other = check(person.ask("POST", "/api/returns", rest), 201, RETURN)
    worker.do("POST", f"/api/returns/{other['id']}/receive", {"restock": []})
    check(worker.ask("POST", f"/api/returns/{other['id']}/refund"), 200, RETURN)
    require(person.do("GET", "/api/store-credit")["balance"] == "30.00", "not refunded to store credit")
    require(person.do("GET", f"/api/orders/{order['id']}")["status"] == "returned", "not returned")
    gone = person.ask("POST", "/api/cart/items", {"item_id": second["item_id"]})
    check_error(gone, 409, "item_unavailable", "item_id")
    both = check(person.ask("GET", "/api/returns"), 200, RETURNS)["returns"]
    require([each["id"] for each in both] == [other["id"], asked["id"]], "returns are not the newest first")
    check(worker.ask("GET", path), 200, RETURN)
    check_error(buyer(visitor).ask("GET", path), 404, "not_found", None)


@case("a refund never gives the card more than it paid; the rest is store credit")
def mixed_refund(visitor: Visitor) -> None:
    worker, person = staff(visitor), buyer(visitor)
    worker.do("POST", f"/api/users/{person.account['id']}/store-credit", {"amount": "25.00"}, 201)
    order = person.buy(*new_items(worker, "10.00", "20.00"), use_store_credit=True)
    require(order["payment"]["amount"] == "10.95", f"{order['payment']}")
    lines = [line["id"] for line in order["items"]]
    for number, (line, card) in enumerate(zip(lines[::-1], ("10.95", "0.00"), strict=True)):
        wish = {"order_id": order["id"], "order_items": [line], "reason": str(number)}
        asked = person.do("POST", "/api/returns", wish, 201)["id"]
        worker.do("POST", f"/api/returns/{asked}/receive")
        done = check(worker.ask("POST", f"/api/returns/{asked}/refund"), 200, RETURN)
        require(done["refund"]["card_amount"] == card, f"{done['refund']}")
    require(person.do("GET", "/api/store-credit")["balance"] == "19.05", "the rest is not store credit")
    require(person.do("GET", f"/api/orders/{order['id']}")["payment"]["status"] == "refunded", "not refunded")


@case("a return can be refused, and asked for again")
def rejected(visitor: Visitor) -> None:
    worker, person = staff(visitor), buyer(visitor)
    order = person.buy(*new_items(worker, "20.00"))
    wish = {"order_id": order["id"], "order_items": [order["items"][0]["id"]], "reason": "r"}
    asked = person.do("POST", "/api/returns", wish, 201)["id"]
    refused = check(worker.ask("POST", f"/api/returns/{asked}/reject"), 200, RETURN)
    require(refused["status"] == "rejected", f"{refused}")
    for step in ("receive", "reject", "refund"):
        check_error(worker.ask("POST", f"/api/returns/{asked}/{step}"), 409, "wrong_status", None)
        check_error(worker.ask("POST", f"/api/returns/999999999/{step}"), 404, "not_found", None)
    check(person.ask("POST", "/api/returns", wish), 201, RETURN)


@case("a bag is received, unpacked and closed, and its seller is paid")
def bags(visitor: Visitor) -> None:
    worker, seller = staff(visitor), buyer(visitor)
    bag = check(seller.ask("POST", "/api/bags", {"notes": "two coats"}), 201, BAG)
    path = f"/api/bags/{bag['id']}"
    body = {"title": "Coat", "price": "10.05", "category_id": 1, "condition": "worn", "tags": ["a", " b "]}
    check_error(worker.ask("POST", f"{path}/items", body), 409, "wrong_status", None)
    check_error(worker.ask("POST", f"{path}/items", {**body, "price": "0"}), 400, "invalid", "price")
    check(worker.ask("POST", f"{path}/receive"), 200, BAG)
    check_error(worker.ask("POST", f"{path}/receive"), 409, "wrong_status", None)
    check_error(worker.ask("POST", f"{path}/items", {**body, "category_id": 999999}), 400, "invalid", "category_id")
    item = worker.do("POST", f"{path}/items", body, 201)
    require((item["availability"], item["tags"]) == ("processing", ["a", "b"]), f"{item}")
    worker.do("POST", f"{path}/items", {**body, "price": "20.10", "publish": True}, 201)
    closed = worker.do("POST", f"{path}/close")
    require((closed["items"], closed["payout"]) == (2, "12.06"), f"{closed}")
    require(closed["bag"]["estimated_value"] == "30.15", f"{closed}")
    check_error(worker.ask("POST", f"{path}/close"), 409, "wrong_status", None)
    check_error(worker.ask("POST", f"{path}/items", body), 409, "wrong_status", None)
    require(seller.do("GET", "/api/store-credit")["balance"] == "12.06", "the seller was not paid")
    buyer(visitor).put_in(item["id"])
    mine = seller.do("GET", "/api/bags")["bags"]
    require([each["status"] for each in mine] == ["processed"], f"{mine}")
    check(worker.ask("GET", path), 200, BAG)
    check_error(buyer(visitor).ask("GET", path), 404, "not_found", None)
    check_error(worker.ask("POST", "/api/bags/999999999/close"), 404, "not_found", None)


def _pay(person: Person, key: str, source: str = "tok_visa", **wish: object):  # type: ignore[no-untyped-def]
    body = {"payment_source": source, **wish}
    return person.ask("POST", "/api/checkout", body, Idempotency_Key=f"{person.account['email'][9:25]}-{key}")
