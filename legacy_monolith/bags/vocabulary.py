"""The integer codes of bags."""

from __future__ import annotations

from legacy_monolith.orders.vocabulary import Word


class BagStatus(Word):
    """Where a bag stands."""

    REQUESTED = 0
    RECEIVED = 1
    PROCESSED = 2
    CANCELLED = 3
