"""Changing a balance."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from extracted.purchasing.tables import CreditBalance, CreditEntry
from extracted.purchasing.web.errors import conflict, not_found


def lock_balance(session: Session, user_id: int) -> CreditBalance | None:
    """The user's row, held until the commit; None if our copy does not have it."""
    return session.scalar(
        select(CreditBalance)
        .where(CreditBalance.user_id == user_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )


def book(
    session: Session,
    user_id: int,
    cents: int,
    reason: str,
    *,
    order_id: int | None = None,
    bag_id: int | None = None,
    note: str | None = None,
) -> int:
    """Changes the balance under a row lock and writes the booking; returns the new balance. Raises 409 below zero."""
    row = lock_balance(session, user_id)
    if row is None:
        raise not_found("user")
    balance = row.balance_cents + cents
    if balance < 0:
        raise conflict("not_enough_credit", "there is not that much store credit")
    row.balance_cents = balance
    session.add(
        CreditEntry(
            user_id=user_id,
            amount_cents=cents,
            balance_after_cents=balance,
            reason=reason,
            order_id=order_id,
            bag_id=bag_id,
            note=note,
        )
    )
    session.flush()
    return balance
