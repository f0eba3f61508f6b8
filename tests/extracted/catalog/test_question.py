from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extracted.catalog.question import Invalid, Question, as_id, parse, search_words


def test_nothing_asked_is_the_first_page_of_the_newest() -> None:
    assert parse({}) == Question(1, 24, "newest", "listed")


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"page": "0"}, "page"),
        ({"page": "１"}, "page"),
        ({"page": "1.0"}, "page"),
        ({"page": "1000000000"}, "page"),
        ({"per_page": "101"}, "per_page"),
        ({"page": "101", "per_page": "100"}, "page"),
        ({"sort": "NEWEST"}, "sort"),
        ({"status": "processing"}, "status"),
        ({"condition": "new"}, "condition"),
        ({"min_price": "1.234"}, "min_price"),
        ({"max_price": "١"}, "max_price"),
        ({"max_price": "-1"}, "max_price"),
    ],
)
def test_a_bad_parameter_is_named(arguments: dict[str, str], field: str) -> None:
    with pytest.raises(Invalid) as caught:
        parse(arguments)
    assert caught.value.field == field


def test_of_several_bad_parameters_the_first_in_the_documented_order_is_named() -> None:
    with pytest.raises(Invalid, match="page must be") as caught:
        parse({"max_price": "x", "sort": "x", "page": "x"})
    assert caught.value.field == "page"


def test_an_empty_value_counts_as_absent() -> None:
    assert parse({"page": "", "q": "", "category": "", "min_price": ""}) == Question()


@given(st.integers(0, 99_999_999), st.integers(0, 99))
def test_amounts_become_cents(whole: int, cents: int) -> None:
    assert parse({"min_price": f"{whole}.{cents:02d}"}).min_cents == whole * 100 + cents


def test_one_decimal_means_tenths() -> None:
    assert parse({"max_price": "12.5"}).max_cents == 1250


def test_words_are_lower_case_of_three_letters_or_more_and_at_most_eight() -> None:
    assert search_words("A Silk_DRESS, über-9 to x1y") == ("silk", "dress", "über", "x1y")
    assert len(search_words(" ".join(["word"] * 20))) == 8


@given(st.text())
def test_no_word_can_hold_an_operator_of_the_full_text_search(question: str) -> None:
    assert not set("".join(search_words(question))) & set("+-><()~*\"@%' _")


def test_only_plain_digits_are_an_id() -> None:
    assert as_id("17") == 17
    assert [as_id(text) for text in ("", "-1", "１", "1e3", "1234567890", "1 ")] == [None] * 6
