"""What may be asked of the item list, without a database."""

from __future__ import annotations

from decimal import Decimal

import pytest

from legacy_monolith.catalog.filters import Filters, parse_filters, search_words
from legacy_monolith.catalog.vocabulary import Condition, ItemStatus, pieces
from legacy_monolith.web.errors import ApiError


def test_nothing_asked_means_the_newest_listed():
    assert parse_filters({}) == Filters(page=1, per_page=24, sort="newest", status=ItemStatus.LISTED)
    assert parse_filters({"page": "", "q": "", "sort": "", "unheard": "of"}) == Filters()


def test_everything_asked():
    asked = {"page": "2", "per_page": "100", "sort": "price_asc", "status": "sold", "condition": "worn", "size": "M"}
    found = parse_filters({**asked, "min_price": "5", "max_price": "9.9", "q": "Silk dress", "colour": "red"})
    assert found == Filters(
        page=2,
        per_page=100,
        sort="price_asc",
        status=ItemStatus.SOLD,
        condition=Condition.WORN,
        min_price=Decimal("5.00"),
        max_price=Decimal("9.90"),
        size="M",
        colour="red",
        words=("silk", "dress"),
    )


@pytest.mark.parametrize(
    ("asked", "field", "message"),
    [
        ({"page": "0"}, "page", "page must be an integer of 1 or more"),
        ({"page": "1.5"}, "page", "page must be an integer of 1 or more"),
        ({"page": "²"}, "page", "page must be an integer of 1 or more"),
        ({"per_page": "101"}, "per_page", "per_page must be an integer from 1 to 100"),
        ({"page": "101", "per_page": "100"}, "page", "page goes deeper than 10000 results: narrow the filters"),
        ({"sort": "cheap"}, "sort", "sort must be one of: newest, price_asc, price_desc"),
        ({"status": "processing"}, "status", "status must be one of: listed, reserved, sold, returned, withdrawn"),
        ({"condition": "0"}, "condition", "condition must be one of: new_with_tags, like_new, gently_used, worn"),
        ({"min_price": "-1"}, "min_price", "min_price must be an amount such as 12.50"),
        ({"max_price": "1e3"}, "max_price", "max_price must be an amount such as 12.50"),
        ({"sort": "x", "page": "x"}, "page", "page must be an integer of 1 or more"),
    ],
)
def test_the_first_bad_parameter_is_named(asked, field, message):
    with pytest.raises(ApiError) as caught:
        parse_filters(asked)
    assert (caught.value.status, caught.value.field, caught.value.message) == (400, field, message)


@pytest.mark.parametrize(
    ("question", "words"),
    [
        ("Vintage silk", ("vintage", "silk")),
        ("t-shirt XL", ("shirt",)),
        ('+dress* -(silk) "wool" @3 ~x <>', ("dress", "silk", "wool")),
        ("snake_case Zoé", ("snake", "case", "zoé")),
        ("a b", ()),
        (" ".join(f"word{n}" for n in range(20)), tuple(f"word{n}" for n in range(8))),
    ],
)
def test_search_words_carry_no_operators(question, words):
    assert search_words(question) == words


def test_comma_separated_columns():
    assert pieces(None) == pieces("") == []
    assert pieces(" a, b,,c ,") == ["a", "b", "c"]
