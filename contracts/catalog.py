"""What the catalog promises to shoppers, whoever answers: lists, filters, item pages, brands, categories.

The rules are those of ``legacy_monolith/catalog/API.md``.
"""

from __future__ import annotations

import random
import re
from typing import Any

from contracts.case import Broken, Contract, require
from contracts.catalog_answers import (
    BRANDS,
    CONDITIONS,
    DEEPEST,
    ITEM,
    ITEMS,
    SORTS,
    STATUSES,
    Item,
    below,
    list_items,
    nodes,
    sample,
)
from contracts.shape import check, check_error
from contracts.visitor import Visitor

CONTRACT = Contract("catalog")
case = CONTRACT.case

#: So many ways of putting filters together are tried; always the same ones for the same data.
COMBINATIONS = 60


@case("brands are listed once each, by slug")
def brands(visitor: Visitor) -> None:
    found = check(visitor.get("/api/brands"), 200, BRANDS)["brands"]
    slugs = [brand["slug"] for brand in found]
    require(slugs == sorted(slugs), "brands are not ordered by slug")
    require(len({brand["id"] for brand in found}) == len(found), "a brand is listed twice")
    require(all(brand["name"] == brand["name"].strip(" ") for brand in found), "a brand's name has blanks at an end")


@case("categories are a tree")
def categories(visitor: Visitor) -> None:
    found = nodes(visitor)
    require(len({node["id"] for node in found}) == len(found), "a category is in the tree twice")


@case("the list shows 24 of the newest that are for sale, unless asked otherwise")
def defaults(visitor: Visitor) -> None:
    body = list_items(visitor)
    again = visitor.get("/api/items", page=1, per_page=24, sort="newest", status="listed")
    require(body == check(again, 200, ITEMS), "the defaults are not page=1, per_page=24, sort=newest, status=listed")


@case("the list can be paged through")
def paging(visitor: Visitor) -> None:
    pages = [list_items(visitor, page=page, per_page=7, sort="price_asc")["items"] for page in (1, 2, 3)]
    whole = list_items(visitor, page=1, per_page=21, sort="price_asc")["items"]
    require([item for page in pages for item in page] == whole, "three pages of 7 are not the first page of 21")
    for per_page in (1, 100):
        list_items(visitor, per_page=per_page)


@case("the deepest page can be read, and a page past the end is empty")
def deepest(visitor: Visitor) -> None:
    list_items(visitor, page=100, per_page=100)
    list_items(visitor, page=DEEPEST, per_page=1)
    list_items(visitor, page=200, per_page=50, status="withdrawn")


@case("every order, status and condition can be asked for")
def words(visitor: Visitor) -> None:
    for sort in SORTS:
        for status in STATUSES:
            list_items(visitor, sort=sort, status=status)
    for condition in CONDITIONS:
        list_items(visitor, condition=condition)


@case("prices are filtered inclusively")
def prices(visitor: Visitor) -> None:
    for item in sample(visitor)[::12]:
        price = item["price"]
        exact = list_items(visitor, min_price=price, max_price=price, per_page=100)
        _same_price_is_found(visitor, item, exact)
        list_items(visitor, min_price=price, sort="price_asc")
        list_items(visitor, max_price=price, sort="price_desc")
    require(
        list_items(visitor, min_price="50", max_price="49.99")["total"] == 0, "a range turned round finds something"
    )
    list_items(visitor, min_price="10.5", max_price="99999999")


def _same_price_is_found(visitor: Visitor, item: Item, exact: dict[str, Any]) -> None:
    if exact["total"] <= 100 and item["id"] not in {other["id"] for other in exact["items"]}:
        now = check(visitor.get(f"/api/items/{item['id']}"), 200, ITEM)
        gone = now["availability"] != "listed" or now["price"] != item["price"]
        require(gone, f"item {item['id']} costs {item['price']} and is not found at that price")


@case("a category is found by id and by slug, with all below it")
def by_category(visitor: Visitor) -> None:
    for node in nodes(visitor)[:12]:
        by_id = list_items(visitor, category=node["id"], sort="price_asc")
        by_slug = list_items(visitor, category=node["slug"].upper(), sort="price_asc")
        require(by_id == by_slug, f"category {node['id']} and its slug {node['slug']!r} give different lists")
        outside = {item["category_id"] for item in by_id["items"]} - below(node)
        require(not outside, f"category {node['id']} lists items of categories {outside}")


@case("a brand is found by id and by slug")
def by_brand(visitor: Visitor) -> None:
    for brand in check(visitor.get("/api/brands"), 200, BRANDS)["brands"][:8]:
        by_id = list_items(visitor, brand=brand["id"])
        by_slug = visitor.get("/api/items", brand=brand["slug"])
        require(by_id == check(by_slug, 200, ITEMS), f"brand {brand['id']} and {brand['slug']!r} give different lists")


@case("size and colour are exact, whatever the case")
def by_size_and_colour(visitor: Visitor) -> None:
    for item in sample(visitor)[::15]:
        for name in ("size", "colour"):
            if item[name]:
                list_items(visitor, **{name: item[name]})
                list_items(visitor, **{name: item[name].upper()})
    for nothing in ("no such size", "😀", "%", "' OR 1=1 --", "\\"):
        require(list_items(visitor, size=nothing)["total"] == 0, f"size {nothing!r} finds something")


@case("every word that is searched for begins a word of the title")
def search(visitor: Visitor) -> None:
    for item in sample(visitor)[::12]:
        words_of_title = re.findall(r"[^\W_]{3,}", item["title"])
        for q in filter(None, (item["title"], " ".join(words_of_title[:1]), "_".join(w[:3] for w in words_of_title))):
            list_items(visitor, q=q)
            list_items(visitor, q=q.upper(), sort="price_asc", per_page=5)


@case("a search without a usable word finds nothing")
def search_nothing(visitor: Visitor) -> None:
    for q in ("a", "to", "+-*", '"', "()", "___", "😀", "%", "'", "@ ~ < >"):
        body = list_items(visitor, q=q)
        require(body["total"] == 0 and body["items"] == [], f"q={q!r} finds something")


@case("strange searches are answered")
def search_strange(visitor: Visitor) -> None:
    strange = (
        "dress' OR '1'='1",
        '"dress" -blue +silk*',
        "dress%",
        "dress\\",
        "kleid größe ÄÖÜ",
        "ｄｒｅｓｓ 服装 платье",
        "dress\u0000coat",
        "e\u0301tole",
        "the and for with",
        "x" * 100,
        " ".join(["dress"] * 30),
        "one two three four five six seven eight nine ten",
    )
    for q in strange:
        check(visitor.get("/api/items", q=q), 200, ITEMS)
    check(visitor.get("/api/items?q=%ff%fe"), 200, ITEMS)
    check(visitor.get("/api/items?q=dress+coat&q=shoe"), 200, ITEMS)


@case("filters can be put together")
def combinations(visitor: Visitor) -> None:
    found = sample(visitor)
    known = {item["brand"]["id"] for item in found if item["brand"]} & {
        brand["id"] for brand in check(visitor.get("/api/brands"), 200, BRANDS)["brands"]
    }
    tree = [node["id"] for node in nodes(visitor)]
    choices: dict[str, list[Any]] = {
        "page": [1, 2, 3],
        "per_page": [1, 10, 48],
        "sort": list(SORTS),
        "status": list(STATUSES),
        "condition": list(CONDITIONS),
        "min_price": ["0", "15", "20.5"],
        "max_price": ["40", "75.25", "500"],
        "category": tree,
        "brand": sorted(known),
        "size": sorted({item["size"] for item in found if item["size"]}),
        "colour": sorted({item["colour"] for item in found if item["colour"]}),
        "q": sorted({word for item in found for word in re.findall(r"[^\W_]{3,}", item["title"])}),
    }
    chance = random.Random(20)
    for _ in range(COMBINATIONS):
        names = [name for name, values in choices.items() if values and chance.random() < 0.3]
        list_items(visitor, **{name: chance.choice(choices[name]) for name in names})


@case("an item's page agrees with the list")
def item_page(visitor: Visitor) -> None:
    shared = ("id", "title", "price", "original_price", "size", "colour", "condition", "availability", "tags")
    known = {node["id"] for node in nodes(visitor)}
    for status in STATUSES:
        for listed in list_items(visitor, status=status, per_page=6)["items"]:
            page = check(visitor.get(f"/api/items/{listed['id']}"), 200, ITEM)
            for name in (*shared, "created_at"):
                require(page[name] == listed[name], f"item {listed['id']}: {name} is {page[name]} on its page")
            require(page["photos"][:1] == ([listed["photo"]] if listed["photo"] else []), "photo is not the first one")
            brand = page["brand"] and {name: page["brand"][name] for name in ("id", "name")}
            require(brand == listed["brand"], f"item {listed['id']}: brand is {brand} on its page")
            path = [step["id"] for step in page["category"]]
            require(path and path[-1] == listed["category_id"], f"item {listed['id']}: category path is {path}")
            require(len(path) == 1 or path[0] in known or path[-1] not in known, f"path {path} begins nowhere")


@case("an unknown item is not found")
def unknown_item(visitor: Visitor) -> None:
    strange = (
        "999999999",
        "0",
        "1234567890",
        "-1",
        "1.5",
        "abc",
        "1e3",
        "+1",
        "%20",
        "%EF%BC%91",
        "%F0%9F%98%80",
        "1%27",
    )
    for item_id in strange:
        check_error(visitor.get(f"/api/items/{item_id}"), 404, "not_found", None, "item not found")


_INVALID: tuple[tuple[str, str, str], ...] = (
    *(
        (f"page={page}", "page", "page must be an integer of 1 or more")
        for page in ("0", "-1", "x", "1.0", "%EF%BC%91")
    ),
    ("page=1000000000", "page", "page must be an integer of 1 or more"),
    *(
        (f"per_page={per_page}", "per_page", "per_page must be an integer from 1 to 100")
        for per_page in ("0", "101", "-5", "ten", "99999")
    ),
    ("page=101&per_page=100", "page", "page goes deeper than 10000 results: narrow the filters"),
    ("page=999999999", "page", "page goes deeper than 10000 results: narrow the filters"),
    *((f"sort={sort}", "sort", f"sort must be one of: {', '.join(SORTS)}") for sort in ("price", "NEWEST", "id;drop")),
    *(
        (f"status={status}", "status", f"status must be one of: {', '.join(STATUSES)}")
        for status in ("processing", "Listed", "1")
    ),
    *(
        (f"condition={condition}", "condition", f"condition must be one of: {', '.join(CONDITIONS)}")
        for condition in ("new", "2")
    ),
    *(
        (f"{name}={amount}", name, f"{name} must be an amount such as 12.50")
        for name in ("min_price", "max_price")
        for amount in ("free", "-1", "1.234", "1,50", "1e2", "123456789", ".5", "NaN")
    ),
    ("category=no-such-category", "category", "category is not known: 'no-such-category'"),
    ("category=999999999", "category", "category is not known: '999999999'"),
    ("category=12345678901234567890", "category", "category is not known: '12345678901234567890'"),
    ("category=%27%20OR%201", "category", "category is not known: '' OR 1'"),
    ("brand=no-such-brand", "brand", "brand is not known: 'no-such-brand'"),
    ("brand=999999999", "brand", "brand is not known: '999999999'"),
    ("brand=%F0%9F%98%80", "brand", "brand is not known: '😀'"),
    ("brand=%25", "brand", "brand is not known: '%'"),
)


@case("a bad parameter is named")
def invalid(visitor: Visitor) -> None:
    for query, field, message in _INVALID:
        check_error(visitor.get(f"/api/items?{query}"), 400, "invalid", field, message)


@case("of several bad parameters the first in the documented order is named")
def first_invalid(visitor: Visitor) -> None:
    numbers = ("page=x", "per_page=0")
    words = ("sort=x", "status=x", "condition=x")
    every = (*numbers, *words, "min_price=x", "max_price=x", "category=no-such", "brand=no-such")
    for first in range(len(every)):
        query = "&".join(reversed(every[first:]))
        check_error(visitor.get(f"/api/items?{query}"), 400, "invalid", every[first].partition("=")[0])


@case("empty and unknown parameters are ignored, of repeated ones the first counts")
def ignored(visitor: Visitor) -> None:
    plain = list_items(visitor, sort="price_asc")
    names = ("page", "per_page", "status", "condition", "min_price", "max_price", "category", "brand", "size", "q")
    for query in ("&".join(f"{name}=" for name in names), "unknown=1&PAGE=x&offset=5", "page=1&page=x", "page=&page=7"):
        answer = visitor.get(f"/api/items?sort=price_asc&{query}")
        if check(answer, 200, ITEMS) != plain:
            raise Broken(f"{answer.request} is not the plain list")
