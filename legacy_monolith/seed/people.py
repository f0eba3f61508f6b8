"""Users, their addresses, store credit, and the bags they sent."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from legacy_monolith.accounts.passwords import Passwords
from legacy_monolith.seed.loader import Row
from legacy_monolith.seed.plan import AGE, ANCHOR, ITEMS_PER_BAG, STAFF, Plan
from legacy_monolith.seed.words import CITIES, FIRST_NAMES, LAST_NAMES, STREETS

PASSWORD = "secret-pass"
GIFT = "25.00"

USER_COLUMNS = (
    "id",
    "email",
    "password_hash",
    "name",
    "phone",
    "role",
    "store_credit",
    "default_address_id",
    "created_at",
    "updated_at",
)
ADDRESS_COLUMNS = (
    "id",
    "user_id",
    "name",
    "line1",
    "line2",
    "city",
    "region",
    "postal_code",
    "country",
    "created_at",
    "updated_at",
)
CREDIT_COLUMNS = ("user_id", "amount", "balance_after", "reason", "note", "created_at")
BAG_COLUMNS = (
    "id",
    "user_id",
    "label_code",
    "status",
    "payout_percent",
    "estimated_value",
    "received_at",
    "processed_at",
    "created_at",
    "updated_at",
)


def password_hash(plan: Plan) -> str:
    """One for everybody: hashing a million passwords would take longer than all else."""
    return Passwords().hash(PASSWORD, salt=f"seed {plan.seed}".ljust(16).encode()[:16])


def born(user_id: int) -> object:
    return ANCHOR - AGE + timedelta(seconds=user_id % 8_000_000)


def name_of(user_id: int) -> str:
    first, last = user_id % len(FIRST_NAMES), user_id // len(FIRST_NAMES) % len(LAST_NAMES)
    return f"{FIRST_NAMES[first]} {LAST_NAMES[last]}"


def has_gift(user_id: int) -> bool:
    return user_id % 10 == 0 and user_id > STAFF


def users(ids: range, hashed: str) -> Iterator[Row]:
    for user_id in ids:
        staff = user_id <= STAFF
        email = f"staff{user_id}@shop.test" if staff else f"user{user_id - STAFF}@shop.test"
        credit = GIFT if has_gift(user_id) else "0.00"
        yield user_id, email, hashed, name_of(user_id), None, int(staff), credit, user_id, born(user_id), born(user_id)


def place_of(user_id: int) -> tuple[str, str, str, str]:
    """(street line, city, region, postal code)"""
    city, region, code = CITIES[user_id % len(CITIES)]
    return f"{user_id % 900 + 1} {STREETS[user_id // 7 % len(STREETS)]}", city, region, code


def addresses(ids: range) -> Iterator[Row]:
    """One each, with the id of its user."""
    for user_id in ids:
        line, city, region, code = place_of(user_id)
        flat = f"Apt {user_id % 40}" if user_id % 3 == 0 else None
        moment = born(user_id)
        yield user_id, user_id, name_of(user_id), line, flat, city, region, code, "US", moment, moment


def credits(ids: range) -> Iterator[Row]:
    for user_id in ids:
        if has_gift(user_id):
            yield user_id, GIFT, GIFT, 5, "welcome", born(user_id)


def bags(plan: Plan, ids: range) -> Iterator[Row]:
    for bag_id in ids:
        moment = ANCHOR - AGE + timedelta(seconds=bag_id * ITEMS_PER_BAG % 8_000_000)
        label = f"BAG{bag_id:09d}"
        yield bag_id, plan.bag_owner(bag_id), label, 2, 40, None, moment, moment, moment, moment
