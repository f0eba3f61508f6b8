"""The same key, the same order, the same answer."""

from __future__ import annotations

import hashlib
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects.mysql import insert
from sqlalchemy.orm import Session

from extracted.purchasing.clock import utc_now
from extracted.purchasing.tables import PurchaseKey
from extracted.purchasing.web.answer import to_json
from extracted.purchasing.web.errors import ApiError, conflict

LONGEST = 100


def check_key(key: str | None) -> str:
    """Raises 400 if there is none or it is too long."""
    if not key or len(key) > LONGEST:
        raise ApiError(
            400, "invalid", f"the header Idempotency-Key is needed, 1 to {LONGEST} characters", "Idempotency-Key"
        )
    return key


def fingerprint(body: dict[str, Any]) -> str:
    """The same as the monolith makes of the same request: a key used there must be known here."""
    return hashlib.sha256(to_json({name: str(body[name]) for name in sorted(body)}).encode()).hexdigest()


def register(session: Session, user_id: int, key: str, request_hash: str) -> None:
    """Makes the key's row if there is none; commit before locking it, so that two first tries meet at the same row."""
    now = utc_now()
    statement = insert(PurchaseKey).values(
        user_id=user_id, key_text=key, request_hash=request_hash, created_at=now, updated_at=now
    )
    session.execute(statement.on_duplicate_key_update(user_id=statement.inserted.user_id))


def lock(session: Session, user_id: int, key: str, request_hash: str) -> PurchaseKey:
    """The key's row, held until the commit. Raises 409 if the key came with another request before."""
    row = session.scalars(
        select(PurchaseKey).where(PurchaseKey.user_id == user_id, PurchaseKey.key_text == key).with_for_update()
    ).one()
    if row.request_hash != request_hash:
        raise conflict("key_reused", "this Idempotency-Key was used for another request", "Idempotency-Key")
    return row
