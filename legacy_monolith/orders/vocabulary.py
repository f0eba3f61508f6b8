"""The integer codes of orders, their items and payments, and the words that the API says instead."""

from __future__ import annotations

from enum import IntEnum


class Word(IntEnum):
    """An integer code whose word is its name in lower case."""

    @property
    def word(self) -> str:
        return self.name.lower()


class OrderStatus(Word):
    """Where an order stands."""

    PENDING = 0  # items reserved, payment not known yet
    PAID = 1
    SHIPPED = 2
    DELIVERED = 3
    CANCELLED = 4  # came to nothing: declined or never paid
    PARTLY_RETURNED = 5
    RETURNED = 6


class OrderItemStatus(Word):
    """Where one item of an order stands."""

    SOLD = 0
    RETURN_REQUESTED = 1
    RETURNED = 2


class PaymentStatus(Word):
    """What is known of a charge."""

    PENDING = 0
    CAPTURED = 1
    DECLINED = 2
    PARTLY_REFUNDED = 3
    REFUNDED = 4
