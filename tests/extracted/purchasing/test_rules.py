"""The pure rules, against the monolith's own over generated inputs: to the cent."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from extracted.purchasing import money
from extracted.purchasing.bags.routes import BagItemBody, payout
from extracted.purchasing.checkout import totals
from extracted.purchasing.checkout.idempotency import fingerprint
from extracted.purchasing.checkout.routes import CheckoutBody
from extracted.purchasing.identity import identify
from extracted.purchasing.promotions import rules
from extracted.purchasing.returns.refund import split
from legacy_monolith import money as legacy_money
from legacy_monolith.bags.routes import BagItemBody as LegacyBagItemBody
from legacy_monolith.checkout import totals as legacy_totals
from legacy_monolith.checkout.idempotency import fingerprint as legacy_fingerprint
from legacy_monolith.checkout.routes import CheckoutBody as LegacyCheckoutBody
from legacy_monolith.promotions import rules as legacy_rules
from legacy_monolith.returns.refund import split as legacy_split
from legacy_monolith.returns.vocabulary import RefundTo

NOW = datetime(2026, 11, 25, 12, 0, 0)
CENTS = st.integers(0, 30_000) | st.integers(0, 9_999_999_999)
SMALL = st.integers(1, 4)
MAYBE_MOMENT = st.none() | st.sampled_from([NOW - timedelta(days=1), NOW, NOW + timedelta(seconds=1)])
RULE = st.fixed_dictionaries(
    {
        "kind": st.sampled_from(["percent", "amount", "free_shipping"]),
        "hundredths": st.integers(0, 10_000) | st.integers(0, 12_000),
        "min_spend": st.sampled_from([0, 0, 1, 3000, 20_000]),
        "starts_at": MAYBE_MOMENT,
        "ends_at": MAYBE_MOMENT,
        "per_user_limit": st.none() | SMALL,
        "total_limit": st.none() | SMALL,
        "used_count": st.integers(0, 2),
        "stackable": st.booleans() | st.just(True),
        "active": st.booleans() | st.just(True),
        "brands": st.frozensets(SMALL, max_size=2),
        "categories": st.frozensets(SMALL, max_size=2),
    }
)
LINE = st.tuples(CENTS, st.none() | SMALL, st.frozensets(SMALL, max_size=3))


def amount(cents: int) -> Decimal:
    return Decimal(cents) / 100


def both_rules(given_rules: list[dict[str, Any]]) -> tuple[list[rules.Rule], list[legacy_rules.Rule]]:
    ours, theirs = [], []
    for number, one in enumerate(given_rules, 1):
        shared = {name: value for name, value in one.items() if name not in ("kind", "hundredths", "min_spend")}
        kind, value = one["kind"], one["hundredths"]
        points, cents = (value, 0) if kind == "percent" else (0, value if kind == "amount" else 0)
        ours.append(rules.Rule(number, f"C{number}", kind, points, cents, one["min_spend"], **shared))
        theirs.append(
            legacy_rules.Rule(
                number, f"C{number}", legacy_rules.Kind[kind.upper()], amount(value), amount(one["min_spend"]), **shared
            )
        )
    return ours, theirs


@settings(max_examples=120, deadline=None, derandomize=True)
@given(
    lines=st.lists(LINE, max_size=6),
    given_rules=st.lists(RULE, max_size=4),
    uses=st.dictionaries(SMALL, st.integers(0, 3)),
    credit=CENTS,
)
def test_codes_and_totals_come_out_as_in_the_monolith(
    lines: list[tuple[int, int | None, frozenset[int]]],
    given_rules: list[dict[str, Any]],
    uses: dict[int, int],
    credit: int,
) -> None:
    ours, theirs = both_rules(given_rules)
    our_lines = [rules.Line(number, *line) for number, line in enumerate(lines, 1)]
    their_lines = [legacy_rules.Line(n, amount(cents), *rest) for n, (cents, *rest) in enumerate(lines, 1)]
    outcome = rules.apply_codes(our_lines, ours, uses, NOW)
    expected = legacy_rules.apply_codes(their_lines, theirs, uses, NOW)
    for line in our_lines:
        assert amount(outcome.discount_of(line.item_id)) == expected.discount_of(line.item_id)
    added = totals.add_up(our_lines, outcome, credit)
    expected_totals = legacy_totals.add_up(their_lines, expected, amount(credit))
    assert totals.represent(added, outcome) == legacy_totals.represent(expected_totals, expected)
    kept = totals.of_lines(added.lines())
    assert (kept.total, kept.to_pay) == (added.total, added.to_pay)


@settings(max_examples=120, deadline=None, derandomize=True)
@given(weights=st.dictionaries(st.integers(1, 60), CENTS, max_size=8), part=st.floats(0, 1))
def test_an_amount_is_shared_as_in_the_monolith(weights: dict[int, int], part: float) -> None:
    cents = int(sum(weights.values()) * part)
    shares = rules.share(cents, weights)
    expected = legacy_rules.share(amount(cents), {key: amount(weight) for key, weight in weights.items()})
    assert {key: amount(share) for key, share in shares.items()} == expected


@settings(max_examples=100, deadline=None, derandomize=True)
@given(cents=CENTS, left=CENTS, to=st.sampled_from(["card", "store_credit"]), percent=st.integers(0, 100))
def test_refunds_and_payouts_come_out_as_in_the_monolith(cents: int, left: int, to: str, percent: int) -> None:
    card, credit = split(cents, left, to)
    assert (amount(card), amount(credit)) == legacy_split(amount(cents), amount(left), RefundTo[to.upper()])
    assert amount(payout(cents, percent)) == legacy_money.rounded(amount(cents) * percent / 100)
    assert money.text(cents) == legacy_money.text(amount(cents))
    assert money.cents(amount(cents)) == cents


def test_a_key_used_at_the_monolith_is_known_by_the_same_fingerprint() -> None:
    for wish in (
        {"payment_source": "tok_visa"},
        {"payment_source": "😀", "address_id": 7, "use_store_credit": "yes", "expected_total": "38.455"},
        {"payment_source": "x", "address_id": None, "expected_total": 12, "use_store_credit": 0},
    ):
        assert fingerprint(CheckoutBody().load(wish)) == legacy_fingerprint(LegacyCheckoutBody().load(wish))


def test_what_is_said_of_a_bags_item_is_checked_as_in_the_monolith() -> None:
    for body in (
        {},
        {"title": "", "price": "0", "category_id": "x", "condition": "new"},
        {"title": "T", "price": "100000000", "category_id": 1, "condition": "worn", "tags": [","], "photos": [" "]},
        {"title": "T", "price": "1", "category_id": 1, "condition": "worn", "weight_grams": 0, "publish": "maybe"},
        {"title": "T", "price": "1", "category_id": 1, "condition": "worn", "seller": 3},
    ):
        assert BagItemBody().validate(body) == LegacyBagItemBody().validate(body)


def test_a_uuid_is_made_from_the_shared_id() -> None:
    assert identify("order", 17) == identify("order", 17)
    assert len({identify("order", 17), identify("order", 18), identify("return", 17)}) == 3
