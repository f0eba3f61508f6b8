"""The promotion rules, without a database."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from legacy_monolith.checkout.totals import add_up
from legacy_monolith.promotions.rules import Kind, Line, Outcome, Rule, apply_codes, share

NOW = datetime(2026, 11, 20, 12, 0, 0)
HOUR = timedelta(hours=1)


def d(text: str) -> Decimal:
    return Decimal(text)


SHIRT = Line(1, d("20.00"), brand_id=7, category_path=frozenset({1, 11}))
COAT = Line(2, d("80.00"), brand_id=8, category_path=frozenset({2, 21}))
BOTH = (SHIRT, COAT)


def percent(value: str = "10", **more) -> Rule:
    return Rule(1, "P", Kind.PERCENT, d(value), **more)


def amount(value: str = "5", **more) -> Rule:
    return Rule(2, "A", Kind.AMOUNT, d(value), **more)


def outcome(*rules: Rule, lines=BOTH, uses=None, now=NOW) -> Outcome:
    return apply_codes(lines, rules, uses or {}, now)


def test_percent_is_taken_off_each_line_and_rounded_half_up():
    found = outcome(percent("15"), lines=(Line(1, d("0.10")), Line(2, d("33.33"))))
    assert (found.discount_of(1), found.discount_of(2)) == (d("0.02"), d("5.00"))


def test_an_amount_is_shared_in_proportion_and_never_more_than_there_is():
    found = outcome(amount("5"))
    assert (found.discount_of(1), found.discount_of(2)) == (d("1.00"), d("4.00"))
    assert outcome(amount("500")).discount == d("100.00")


@pytest.mark.parametrize(
    ("rule", "reason"),
    [
        (percent(active=False), "inactive"),
        (percent(starts_at=NOW + HOUR), "not_started"),
        (percent(ends_at=NOW), "ended"),
        (percent(total_limit=3, used_count=3), "used_up"),
        (percent(per_user_limit=1), "used_by_you"),
        (percent(brands=frozenset({99})), "nothing_covered"),
        (percent(categories=frozenset({99})), "nothing_covered"),
        (percent(min_spend=d("100.01")), "min_spend"),
        (percent(min_spend=d("20.01"), brands=frozenset({7})), "min_spend"),
    ],
)
def test_why_a_code_does_not_count(rule, reason):
    found = outcome(rule, uses={1: 1})
    assert [each.reason for each in found.refused] == [reason]
    assert found.discount == 0
    assert rule.code in found.refused[0].message


@pytest.mark.parametrize(
    "rule",
    [
        percent(starts_at=NOW),
        percent(ends_at=NOW + timedelta(seconds=1)),
        percent(total_limit=3, used_count=2),
        percent(per_user_limit=2),
        percent(min_spend=d("100.00")),
        percent(min_spend=d("20.00"), brands=frozenset({7})),
    ],
)
def test_the_edges_that_still_count(rule):
    assert outcome(rule, uses={1: 1}).refused == ()


def test_brand_and_category_scope_both_have_to_fit():
    assert outcome(percent(brands=frozenset({7}))).discount == d("2.00")
    assert outcome(percent(categories=frozenset({2}))).discount == d("8.00")
    crossed = percent(brands=frozenset({7}), categories=frozenset({2}))
    assert outcome(crossed).refused[0].reason == "nothing_covered"


def test_codes_that_do_not_stack_stand_alone_and_the_first_one_wins():
    found = outcome(percent(), amount())
    assert [each.rule.code for each in found.applied] == ["P"]
    assert [(each.code, each.reason) for each in found.refused] == [("A", "not_stackable")]
    assert [each.rule.code for each in outcome(amount(), percent(stackable=True)).applied] == ["A"]


def test_a_refused_code_does_not_keep_others_out():
    found = outcome(percent(active=False), amount())
    assert [each.rule.code for each in found.applied] == ["A"]


def test_stacked_codes_take_percent_first_whatever_the_order_of_entry():
    rules = (amount("10", stackable=True), percent("50", stackable=True))
    assert outcome(*rules).discount == outcome(*rules[::-1]).discount == d("60.00")


def test_free_shipping_is_worth_the_fee_and_only_where_there_is_one():
    free = Rule(3, "F", Kind.FREE_SHIPPING, stackable=True)
    small = outcome(free, lines=(SHIRT,))
    assert add_up((SHIRT,), small, d("0")).total == d("20.00")
    assert add_up((SHIRT,), small, d("0")).shipping_saved == d("5.95")
    assert add_up(BOTH, outcome(free), d("0")).shipping_saved == d("0")
    # a discount can push an order below the limit of free shipping
    assert add_up(BOTH, outcome(amount("30")), d("0")).shipping == d("5.95")


def test_store_credit_never_pays_more_than_the_total():
    totals = add_up((SHIRT,), Outcome(), d("100"))
    assert (totals.store_credit_used, totals.to_pay) == (d("25.95"), d("0.00"))


prices = st.decimals("0.01", "9999.99", places=2)


@given(st.lists(prices, min_size=1, max_size=8), st.decimals("0.01", "1.00", places=2), prices)
def test_shares_add_up_to_the_cent_and_leave_nobody_below_zero(weights, part, most):
    weighed = dict(enumerate(weights))
    whole = sum(weights)
    taken = min(most, (whole * part).quantize(d("0.01")))
    shares = share(taken, weighed)
    assert sum(shares.values()) == taken
    assert all(0 <= shares[key] <= weighed[key] for key in weighed)


@given(
    st.lists(prices, min_size=1, max_size=6),
    st.lists(st.tuples(st.sampled_from([Kind.PERCENT, Kind.AMOUNT]), st.decimals("0.01", "100", places=2)), max_size=4),
)
def test_no_pile_of_codes_makes_a_line_negative(line_prices, codes):
    lines = [Line(number, price) for number, price in enumerate(line_prices)]
    rules = [Rule(number, str(number), kind, value, stackable=True) for number, (kind, value) in enumerate(codes)]
    found = apply_codes(lines, rules, {}, NOW)
    assert all(0 <= found.discount_of(line.item_id) <= line.price for line in lines)
    assert found.discount == sum((found.discount_of(line.item_id) for line in lines), d("0"))
