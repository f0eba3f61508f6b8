"""The shapes of purchasing's answers."""

from __future__ import annotations

from contracts.catalog_answers import SUMMARY
from contracts.shape import (
    COUNT,
    KEY,
    LOCAL_TIME,
    MAYBE_TEXT,
    MONEY,
    TEXT,
    YES_NO,
    each,
    maybe,
    one_of,
    record,
)

KINDS = one_of("percent", "amount", "free_shipping")
SIGNED_MONEY = {"type": "string", "pattern": r"^-?\d{1,8}\.\d{2}$"}
CART = record(items=each(record(available=YES_NO, item=SUMMARY), maxItems=50), promo_codes=each(TEXT), subtotal=MONEY)
DISCOUNTS = each(record(code=TEXT, kind=KINDS, amount=MONEY))
QUOTE = record(
    subtotal=MONEY,
    discounts=DISCOUNTS,
    refused_codes=each(record(code=TEXT, reason=TEXT, message=TEXT)),
    discount=MONEY,
    shipping=MONEY,
    total=MONEY,
    store_credit_used=MONEY,
    to_pay=MONEY,
    unavailable_items=each(KEY),
)
RESERVATION = record(items=each(KEY, minItems=1), reserved_until=LOCAL_TIME)
ORDER_STATUS = one_of("pending", "paid", "shipped", "delivered", "cancelled", "partly_returned", "returned")
ORDER = record(
    id=KEY,
    status=ORDER_STATUS,
    items=each(
        record(
            id=KEY,
            item_id=KEY,
            title=TEXT,
            price=MONEY,
            discount=MONEY,
            status=one_of("sold", "return_requested", "returned"),
        ),
        minItems=1,
    ),
    discounts=DISCOUNTS,
    subtotal=MONEY,
    discount=MONEY,
    shipping=MONEY,
    total=MONEY,
    store_credit_used=MONEY,
    promo_codes=each(TEXT),
    payment=maybe(
        record(
            status=one_of("pending", "captured", "declined", "partly_refunded", "refunded"),
            amount=MONEY,
            charge_id=MAYBE_TEXT,
            error=MAYBE_TEXT,
        )
    ),
    ship_to=each(TEXT),
    placed_at=LOCAL_TIME,
    paid_at=maybe(LOCAL_TIME),
    shipped_at=maybe(LOCAL_TIME),
    delivered_at=maybe(LOCAL_TIME),
    cancelled_at=maybe(LOCAL_TIME),
)
ORDERS = record(orders=each(record(id=KEY, status=ORDER_STATUS, total=MONEY, placed_at=LOCAL_TIME), maxItems=100))
BOUGHT = record(order=ORDER)
RETURN = record(
    id=KEY,
    order_id=KEY,
    status=one_of("requested", "received", "refunded", "rejected"),
    refund_to=one_of("card", "store_credit"),
    reason=TEXT,
    items=each(record(order_item_id=KEY, item_id=KEY, refund_amount=MONEY, restocked=maybe(YES_NO)), minItems=1),
    refund=maybe(
        record(
            status=one_of("pending", "done"),
            card_amount=MONEY,
            credit_amount=MONEY,
            gateway_refund_id=MAYBE_TEXT,
        )
    ),
    requested_at=LOCAL_TIME,
    received_at=maybe(LOCAL_TIME),
    refunded_at=maybe(LOCAL_TIME),
)
RETURNS = record(returns=each(RETURN, maxItems=100))
CREDIT = record(
    balance=MONEY,
    entries=each(
        record(
            id=KEY,
            amount=SIGNED_MONEY,
            balance_after=MONEY,
            reason=one_of("spent", "given_back", "refund", "bag_payout", "gift"),
            order_id=maybe(KEY),
            bag_id=maybe(KEY),
            note=MAYBE_TEXT,
            created_at=LOCAL_TIME,
        )
    ),
)
BAG = record(
    id=KEY,
    label_code={**TEXT, "pattern": "^[A-HJ-NP-Z2-9]{12}$"},
    status=one_of("requested", "received", "processed", "cancelled"),
    payout_percent=COUNT,
    estimated_value=maybe(MONEY),
    notes=MAYBE_TEXT,
    received_at=maybe(LOCAL_TIME),
    processed_at=maybe(LOCAL_TIME),
    created_at=LOCAL_TIME,
)
