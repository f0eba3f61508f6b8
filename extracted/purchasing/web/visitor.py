"""Who asks: by the token of a log-in, as our copy of the monolith's sessions knows it."""

from __future__ import annotations

import hashlib

from flask import request
from sqlalchemy import select
from sqlalchemy.orm import Session as Orm

from extracted.purchasing.clock import utc_now
from extracted.purchasing.service import Service
from extracted.purchasing.tables import Session, User
from extracted.purchasing.web.errors import ApiError
from extracted.purchasing.web.late import Missing

COOKIE = "shop_session"


def token_of_request() -> str | None:
    """The bearer token, or else the cookie."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer" and token.strip():
        return token.strip()
    return request.cookies.get(COOKIE) or None


def asker() -> dict[str, str]:
    """The headers by which the monolith knows who asks."""
    token = token_of_request()
    return {"Authorization": f"Bearer {token}"} if token else {}


def authenticated(service: Service, session: Orm, *, staff: bool) -> User:
    """Raises 401 and 403, and Missing for a log-in that may be too new."""
    unauthorized = ApiError(
        401, "unauthorized", "log in first: POST /api/login gives a token for the Authorization header"
    )
    token = token_of_request()
    if not token:
        raise unauthorized
    found = session.execute(
        select(User, Session.revoked_at, Session.expires_at)
        .join(Session, Session.user_id == User.id)
        .where(Session.token_hash == hashlib.sha256(token.encode()).hexdigest())
    ).first()
    if found is None:
        headers = asker()
        raise Missing(unauthorized, lambda: service.shop.account(headers) is not None)
    user, revoked_at, expires_at = found
    if revoked_at is not None or expires_at <= utc_now() or user.removed_at is not None:
        raise unauthorized
    if staff and user.role != "staff":
        raise ApiError(403, "forbidden", "only staff may do this")
    return user
