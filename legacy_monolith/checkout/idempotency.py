"""The same key, the same order, the same answer."""

from __future__ import annotations

import hashlib
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects.mysql import insert
from sqlalchemy.orm import Session

from legacy_monolith.clock import shop_now
from legacy_monolith.models import IdempotencyKey
from legacy_monolith.web.answer import to_json
from legacy_monolith.web.errors import ApiError, conflict

LONGEST = 100


def check_key(key: str | None) -> str:
    """Raises 400 if there is none or it is too long."""
    if not key or len(key) > LONGEST:
        raise ApiError(
            400, "invalid", f"the header Idempotency-Key is needed, 1 to {LONGEST} characters", "Idempotency-Key"
        )
    return key


def fingerprint(body: dict[str, Any]) -> str:
    return hashlib.sha256(to_json({name: str(body[name]) for name in sorted(body)}).encode()).hexdigest()


def register(session: Session, user_id: int, key: str, request_hash: str) -> None:
    """Makes the key's row if there is none; commit before locking it, so that two first tries meet at the same row."""
    now = shop_now()
    statement = insert(IdempotencyKey).values(
        user_id=user_id, key_text=key, request_hash=request_hash, created_at=now, updated_at=now
    )
    session.execute(statement.on_duplicate_key_update(user_id=statement.inserted.user_id))


def lock(session: Session, user_id: int, key: str, request_hash: str) -> IdempotencyKey:
    """The key's row, held until the commit. Raises 409 if the key came with another request before."""
    row = session.scalars(
        select(IdempotencyKey)
        .where(IdempotencyKey.user_id == user_id, IdempotencyKey.key_text == key)
        .with_for_update()
    ).one()
    if row.request_hash != request_hash:
        raise conflict("key_reused", "this Idempotency-Key was used for another request", "Idempotency-Key")
    return row
