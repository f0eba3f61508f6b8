"""Sessions: a random token for the caller, its SHA-256 for us."""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session as Orm

from legacy_monolith.clock import shop_now
from legacy_monolith.models import Session, User

LIFETIME = timedelta(days=30)


def open_session(session: Orm, user: User, user_agent: str | None) -> str:
    """A new log-in; returns its token, which is stored nowhere."""
    token = secrets.token_urlsafe(32)
    session.add(
        Session(
            user_id=user.id,
            token_hash=_digest(token),
            user_agent=user_agent[:200] if user_agent else None,
            expires_at=shop_now() + LIFETIME,
        )
    )
    return token


def user_of_token(session: Orm, token: str) -> User | None:
    """Whose log-in it is; None if it is unknown, has run out, was closed, or the account is gone."""
    return session.scalar(
        select(User)
        .join(Session, Session.user_id == User.id)
        .where(
            Session.token_hash == _digest(token),
            Session.revoked_at.is_(None),
            Session.expires_at > shop_now(),
            User.deleted_at.is_(None),
        )
    )


def close_session(session: Orm, token: str) -> None:
    """Does nothing if it is closed already."""
    session.execute(
        update(Session)
        .where(Session.token_hash == _digest(token), Session.revoked_at.is_(None))
        .values(revoked_at=shop_now())
    )


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
