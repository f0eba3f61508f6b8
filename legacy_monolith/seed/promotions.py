"""A dozen promotions that show every rule."""

from __future__ import annotations

from datetime import datetime

from legacy_monolith.seed.loader import Row
from legacy_monolith.seed.plan import ANCHOR, FAR

COLUMNS = (
    "id",
    "code",
    "name",
    "kind",
    "value",
    "min_spend",
    "starts_at",
    "ends_at",
    "per_user_limit",
    "total_limit",
    "used_count",
    "stackable",
    "active",
    "created_at",
    "updated_at",
)
PERCENT, AMOUNT, SHIPPING = 1, 2, 3
PAST = datetime(2026, 1, 1)


def _promotion(code: str, name: str, kind: int, value: str, **more: object) -> tuple[str, dict[str, object]]:
    return code, {"name": name, "kind": kind, "value": value, **more}


_ALL = (
    _promotion("WELCOME10", "10 % off the first order", PERCENT, "10.00", per_user_limit=1),
    _promotion("SAVE5", "5 off from 30", AMOUNT, "5.00", min_spend="30.00", stackable=1),
    _promotion("SHIPFREE", "free shipping", SHIPPING, "0.00", stackable=1),
    _promotion("STACK15", "15 % off, with others", PERCENT, "15.00", stackable=1),
    _promotion("BIG50", "50 off from 200", AMOUNT, "50.00", min_spend="200.00"),
    _promotion("FIRST100", "20 % for the first hundred", PERCENT, "20.00", total_limit=100),
    _promotion("DENIM20", "20 % off some brands", PERCENT, "20.00", brands=(1, 2, 3)),
    _promotion("WOMEN10", "10 % off women's", PERCENT, "10.00", categories=(1,), stackable=1),
    _promotion("SUMMER25", "summer is over", PERCENT, "25.00", ends_at=datetime(2026, 9, 1)),
    _promotion("FUTURE30", "not yet", PERCENT, "30.00", starts_at=datetime(2098, 1, 1)),
    _promotion("PAUSED", "switched off", PERCENT, "10.00", active=0),
    _promotion("ONCEONLY", "one use in all", AMOUNT, "20.00", total_limit=1),
)


def promotions() -> list[Row]:
    rows: list[Row] = []
    for number, (code, given) in enumerate(_ALL, 1):
        row = {
            "min_spend": "0.00",
            "starts_at": PAST,
            "ends_at": FAR,
            "per_user_limit": None,
            "total_limit": None,
            "stackable": 0,
            "active": 1,
            **given,
            "id": number,
            "code": code,
            "used_count": 0,
            "created_at": ANCHOR,
            "updated_at": ANCHOR,
        }
        rows.append([row[column] for column in COLUMNS])
    return rows


def scopes(name: str) -> list[Row]:
    """(promotion id, scoped id) for ``brands`` or ``categories``."""
    return [
        (number, scoped)
        for number, (_, given) in enumerate(_ALL, 1)
        for scoped in given.get(name, ())  # type: ignore[attr-defined]
    ]
