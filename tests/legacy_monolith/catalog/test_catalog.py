"""The public catalog against real tables: the answers of API.md."""

from __future__ import annotations

import re
from decimal import Decimal

import jsonschema
import pytest
from sqlalchemy import text

from legacy_monolith.catalog import answers
from legacy_monolith.clock import shop_now
from legacy_monolith.models import Brand, Category, Item

pytestmark = pytest.mark.real


def test_an_item_page_to_the_byte(app, new_item, shop):
    item_id = new_item(
        "12.5",
        title='Crêpe "silk" dress',
        description=None,
        original_price=Decimal("80"),
        brand_id=9,
        brand_name=" WHATEVER",
        category_id=3,
        tags=" denim, vintage,,",
        photos="/photos/1.jpg,/photos/2.jpg",
    )
    shop.database.run(
        lambda session: session.execute(
            text(
                "UPDATE items SET created_at = '2026-07-01 00:00:05', updated_at = '2026-11-23 12:04:31' WHERE id = :id"
            ),
            {"id": item_id},
        )
    )
    answer = app.test_client().get(f"/api/items/{item_id}")
    assert answer.headers["Content-Type"] == "application/json"
    brand = shop.database.run(lambda session: session.get_one(Brand, 9))
    assert brand.name != brand.name.strip()
    assert answer.data.decode() == (
        f'{{"id":{item_id},"title":"Crêpe \\"silk\\" dress","description":null,"price":"12.50",'
        '"original_price":"80.00",'
        f'"brand":{{"id":9,"name":"{brand.name.strip()}","slug":"{brand.slug}"}},'
        '"category":[{"id":1,"name":"Women","slug":"women"},{"id":2,"name":"Dresses","slug":"women-dresses"},'
        '{"id":3,"name":"Wrap dress","slug":"women-dresses-wrap-dress"}],'
        '"size":null,"colour":null,"condition":"like_new","availability":"listed",'
        '"photos":["/photos/1.jpg","/photos/2.jpg"],"tags":["denim","vintage"],"markdown_count":0,'
        '"created_at":"2026-07-01T00:00:05-08:00","updated_at":"2026-11-23T12:04:31-08:00"}'
    )


@pytest.mark.parametrize("path", ["x", "0", "1.0", "-1", "99999999", "1234567890123", "٣"])
def test_what_is_no_item(app, path):
    answer = app.test_client().get(f"/api/items/{path}")
    assert answer.status_code == 404
    assert answer.data == b'{"error":{"code":"not_found","message":"item not found","field":null}}'


def test_items_in_processing_and_deleted_ones_are_not_shown(anybody, new_item):
    for columns in ({"status": 0}, {"deleted_at": shop_now()}):
        anybody.do("GET", f"/api/items/{new_item(**columns)}", None, 404)


def _where(shop, condition, order="created_at DESC, id DESC", limit=1000):
    statement = text(f"SELECT id FROM items WHERE deleted_at IS NULL AND {condition} ORDER BY {order} LIMIT {limit}")
    return shop.database.run(lambda session: list(session.scalars(statement)))


@pytest.mark.parametrize(
    ("query", "condition", "order"),
    [
        ("", "status = 1", "created_at DESC, id DESC"),
        ("sort=price_asc", "status = 1", "price, id"),
        ("sort=price_desc", "status = 1", "price DESC, id DESC"),
        ("status=sold", "status = 3", "created_at DESC, id DESC"),
        ("size=M&colour=red", "status = 1 AND size = 'M' AND colour = 'red'", "created_at DESC, id DESC"),
        ("condition=worn&sort=price_asc", "status = 1 AND condition_code = 4", "price, id"),
        ("min_price=20.50&max_price=40", "status = 1 AND price BETWEEN 20.5 AND 40", "created_at DESC, id DESC"),
        ("brand=4", "status = 1 AND brand_id = 4", "created_at DESC, id DESC"),
        ("category=3", "status = 1 AND category_id = 3", "created_at DESC, id DESC"),
        ("q=Silk+dre", "status = 1 AND title LIKE '%silk%' AND title LIKE '%dre%'", "created_at DESC, id DESC"),
        ("q=silk&sort=price_asc", "status = 1 AND title LIKE '%silk%'", "price, id"),
    ],
)
def test_filters_and_order_agree_with_plain_sql(anybody, shop, query, condition, order):
    expected = _where(shop, condition, order)
    assert expected
    found = anybody.get(f"/api/items?{query}&per_page=100")
    jsonschema.validate(found, answers.ITEM_LIST)
    assert [item["id"] for item in found["items"]] == expected[:100]
    assert found["total"] == len(expected)


def test_a_category_includes_its_subtree(anybody, shop):
    below = "category_id IN (SELECT id FROM categories WHERE slug LIKE 'men-shoes%')"
    expected = _where(shop, f"status = 1 AND {below}")
    assert [item["id"] for item in anybody.get("/api/items?category=men-shoes&per_page=100")["items"]] == expected[:100]


def test_pages_follow_each_other_without_gap_or_double(anybody, shop):
    pages = [anybody.get(f"/api/items?per_page=7&page={page}&sort=price_asc")["items"] for page in range(1, 6)]
    seen = [item["id"] for page in pages for item in page]
    assert seen == _where(shop, "status = 1", "price, id", 35)
    assert anybody.get("/api/items?page=400")["items"] == []


def test_unknown_brand_category_and_deleted_ones_are_bad_questions(anybody, shop):
    for name in ("brand", "category"):
        error = anybody.do("GET", f"/api/items?{name}=nope", None, 400)["error"]
        assert error == {"code": "invalid", "message": f"{name} is not known: 'nope'", "field": name}

    def add(session):
        gone = Category(name="Gone", slug="gone", position=9, deleted_at=shop_now())
        session.add(gone)
        session.flush()
        session.add(Category(name="Below", slug="below", position=1, parent_id=gone.id))
        session.add(Brand(name="Gone", slug="gone", is_designer=0, deleted_at=shop_now()))

    shop.database.run(add)
    for query in ("category=gone", "category=below", "brand=gone"):
        anybody.do("GET", f"/api/items?{query}", None, 400)
    assert "gone" not in str(anybody.get("/api/categories"))
    assert "below" not in str(anybody.get("/api/categories"))
    assert "Gone" not in str(anybody.get("/api/brands"))


def test_a_question_without_a_usable_word_finds_nothing(anybody):
    assert anybody.get("/api/items?q=%2B-%22") == {"items": [], "page": 1, "per_page": 24, "total": 0}


def test_brands_and_categories(anybody):
    brands = anybody.get("/api/brands")
    jsonschema.validate(brands, answers.BRAND_LIST)
    slugs = [brand["slug"] for brand in brands["brands"]]
    assert slugs == sorted(slugs) and len(slugs) > 30
    assert all(brand["name"] == brand["name"].strip() for brand in brands["brands"])
    assert all(re.fullmatch("[a-z0-9-]+", slug) for slug in slugs)
    tree = anybody.get("/api/categories")
    jsonschema.validate(tree, answers.CATEGORY_TREE)
    assert [node["name"] for node in tree["categories"]] == ["Women", "Men", "Kids", "Accessories"]


def test_staff_change_items(staff, buyer, new_item, shop, count):
    item_id = new_item("20.00")
    change = {"price": "15.00", "tags": ["a", "b c"], "brand_id": 9, "condition": "worn"}
    changed = staff.do("PATCH", f"/api/items/{item_id}", change)
    assert (changed["price"], changed["tags"], changed["condition"]) == ("15.00", ["a", "b c"], "worn")
    assert count(Item, Item.id == item_id, Item.tags == "a,b c", Item.brand_name == Brand.name, Brand.id == 9) == 1
    for bad, field in (
        ({"tags": ["a,b"]}, "tags.0"),
        ({"price": "0"}, "price"),
        ({"category_id": 9999}, "category_id"),
    ):
        assert staff.do("PATCH", f"/api/items/{item_id}", bad, 400)["error"]["field"] == field
    buyer.do("PATCH", f"/api/items/{item_id}", change, 403)
    staff.do("DELETE", f"/api/items/{item_id}", None, 204)
    staff.do("DELETE", f"/api/items/{item_id}", None, 404)
    assert staff.do("POST", "/api/brands", {"name": "Neu & Söhne"}, 201)["slug"] == "neu-s-hne"
    staff.do("POST", "/api/brands", {"name": "neu & söhne"}, 409)


def test_favourites(buyer, new_item):
    first, second = new_item(), new_item()
    for item_id in (first, second, first):
        buyer.do("PUT", f"/api/favourites/{item_id}", None, 204)
    assert [item["id"] for item in buyer.get("/api/favourites")["items"]] == [second, first]
    buyer.do("DELETE", f"/api/favourites/{second}", None, 204)
    assert [item["id"] for item in buyer.get("/api/favourites")["items"]] == [first]
    buyer.do("PUT", "/api/favourites/99999999", None, 404)


def test_the_cart(buyer, new_item, staff):
    item_id = new_item("9.99")
    cart = buyer.do("POST", "/api/cart/items", {"item_id": item_id}, 201)
    assert (cart["subtotal"], len(cart["items"])) == ("9.99", 1)
    assert len(buyer.do("POST", "/api/cart/items", {"item_id": item_id}, 201)["items"]) == 1
    assert buyer.do("POST", "/api/cart/items", {"item_id": "x"}, 400)["error"]["field"] == "item_id"
    sold = new_item(status=3)
    assert buyer.do("POST", "/api/cart/items", {"item_id": sold}, 409)["error"]["code"] == "item_unavailable"
    assert buyer.do("DELETE", f"/api/cart/items/{item_id}")["items"] == []
    buyer.do("DELETE", "/api/cart", None, 204)
