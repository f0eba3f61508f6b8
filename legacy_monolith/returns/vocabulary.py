"""The integer codes of returns."""

from __future__ import annotations

from legacy_monolith.orders.vocabulary import Word


class ReturnStatus(Word):
    """Where a return stands."""

    REQUESTED = 0
    RECEIVED = 1
    REFUNDED = 2
    REJECTED = 3


class RefundTo(Word):
    """Where the money goes."""

    CARD = 0
    STORE_CREDIT = 1
