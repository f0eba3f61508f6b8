"""The price markdown: a batch job that writes straight to the tables by SQL, past every rule of the application."""

from __future__ import annotations

from sqlalchemy import text
from sqlalchemy.orm import Session

from legacy_monolith.clock import SQL_NOW, shop_now
from legacy_monolith.jobs.context import current_shop
from legacy_monolith.jobs.run_log import note_run

#: Listed for so long without being sold, at most so many times, never below the floor.
AFTER_DAYS = 30
MOST_TIMES = 3
PERCENT = 10
FLOOR = "5.00"
BATCH = 250

_DUE = f"""
    status = 1 AND deleted_at IS NULL AND markdown_count < {MOST_TIMES} AND price > {FLOOR}
    AND COALESCE(last_markdown_at, created_at) < {SQL_NOW} - INTERVAL {AFTER_DAYS} DAY
"""
_NEW_PRICE = f"GREATEST({FLOOR}, ROUND(price * {100 - PERCENT} / 100, 2))"

_PICK = text(f"SELECT id FROM items WHERE {_DUE} AND id > :after ORDER BY id LIMIT {BATCH}")
_NOTE = text(
    f"""
    INSERT INTO item_price_changes (item_id, old_price, new_price, reason, created_at)
    SELECT id, price, {_NEW_PRICE}, 1, {SQL_NOW} FROM items WHERE id BETWEEN :first AND :last AND {_DUE} FOR UPDATE
    """
)
_CUT = text(
    f"""
    UPDATE items
    SET price = {_NEW_PRICE}, markdown_count = markdown_count + 1, last_markdown_at = {SQL_NOW}, updated_at = {SQL_NOW}
    WHERE id BETWEEN :first AND :last AND {_DUE}
    """
)


def mark_down(most: int = 500) -> int:
    """Cuts the price of what has lain for long, ``BATCH`` items a transaction; how many were cut."""
    database = current_shop().database
    after = changed = 0
    while changed < most:
        last, count = database.run(lambda session, after=after: _batch(session, after))
        if last == 0:
            break
        after, changed = last, changed + count
    return changed


def _batch(session: Session, after: int) -> tuple[int, int]:
    """(last id looked at, rows cut); (0, 0) when nothing is due."""
    started = shop_now()
    ids = list(session.scalars(_PICK, {"after": after}))
    if not ids:
        return 0, 0
    bounds = {"first": ids[0], "last": ids[-1]}
    session.execute(_NOTE, bounds)
    count = session.connection().execute(_CUT, bounds).rowcount
    note_run(session, "mark_down", started, count)
    return ids[-1], count
