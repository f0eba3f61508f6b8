"""How a view is declared: who may call it, what it takes, what it says; the same declaration documents it."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from flask import Response, current_app, request
from marshmallow import Schema
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict

from legacy_monolith.accounts.log_in import user_of_token
from legacy_monolith.models import User
from legacy_monolith.web.answer import Reply, json_response
from legacy_monolith.web.errors import ApiError, invalid

if TYPE_CHECKING:
    from legacy_monolith.shop import Shop

COOKIE = "shop_session"


class Access(StrEnum):
    """Who may call a view."""

    PUBLIC = "public"
    USER = "user"  # logged in
    STAFF = "staff"  # logged in, and works here


@dataclass(frozen=True)
class Endpoint:
    """What the OpenAPI document says about a view."""

    summary: str
    access: Access
    body: type[Schema] | None
    query: type[Schema] | None
    parameters: tuple[dict[str, Any], ...]
    answer: dict[str, Any] | None
    status: int
    errors: tuple[int, ...]


@dataclass
class Call:
    """One request on its way through a view. ``session`` is in a transaction that commits when the view returns."""

    shop: Shop
    session: Session
    visitor: User | None
    body: dict[str, Any]
    query: dict[str, Any]
    arguments: MultiDict[str, str]
    _afterwards: list[Callable[[], None]] = field(default_factory=list)

    @property
    def user(self) -> User:
        """Who calls; only in views that are not public."""
        if self.visitor is None:
            raise ApiError(401, "unauthorized", "log in first")
        return self.visitor

    def after_commit(self, action: Callable[[], None]) -> None:
        """Effects outside the database wait for the commit (the view may run again after a deadlock)."""
        self._afterwards.append(action)

    def finish(self) -> None:
        for action in self._afterwards:
            action()


View = Callable[..., Any]


def endpoint(
    summary: str,
    *,
    access: Access = Access.PUBLIC,
    body: type[Schema] | None = None,
    query: type[Schema] | None = None,
    parameters: tuple[dict[str, Any], ...] = (),
    answer: dict[str, Any] | None = None,
    status: int = 200,
    errors: tuple[int, ...] = (),
    own_transactions: bool = False,
) -> Callable[[View], View]:
    """Declares a view: it gets a ``Call`` and the path's parts, and gives a body or a ``Reply``.

    ``own_transactions``: the view opens its transactions itself through ``call.shop.database`` (``call.session`` is
    closed, ``call.user`` is detached).
    """
    described = Endpoint(summary, access, body, query, parameters, answer, status, errors)

    def decorate(view: View) -> View:
        @functools.wraps(view)
        def wrapper(**path: Any) -> Response:
            shop: Shop = current_app.extensions["shop"]
            loaded_body = body().load(_json_body()) if body else {}
            loaded_query = query().load(request.args.to_dict()) if query else {}

            def enter(session: Session) -> Call:
                visitor = None if access is Access.PUBLIC else _authenticated(session, access)
                return Call(shop, session, visitor, loaded_body, loaded_query, request.args)

            def work(session: Session) -> tuple[Call, Any]:
                call = enter(session)
                return call, view(call, **path)

            if own_transactions:
                call = shop.database.run(enter)
                result = view(call, **path)
            else:
                call, result = shop.database.run(work)
            call.finish()
            return _response(result, status)

        wrapper.endpoint = described  # type: ignore[attr-defined]
        return wrapper

    return decorate


def token_of_request() -> str | None:
    """The bearer token, or else the cookie."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer" and token.strip():
        return token.strip()
    return request.cookies.get(COOKIE) or None


def _authenticated(session: Session, access: Access) -> User:
    token = token_of_request()
    user = user_of_token(session, token) if token else None
    if user is None:
        raise ApiError(401, "unauthorized", "log in first: POST /api/login gives a token for the Authorization header")
    if access is Access.STAFF and user.role != 1:
        raise ApiError(403, "forbidden", "only staff may do this")
    return user


def _json_body() -> dict[str, Any]:
    body = request.get_json(force=True, silent=True) if request.get_data(cache=True) else {}
    if not isinstance(body, dict):
        raise invalid(None, "the body must be a JSON object")
    return body


def _response(result: Any, status: int) -> Response:
    if isinstance(result, Response):
        return result
    reply = result if isinstance(result, Reply) else Reply(result)
    code = reply.status or status
    response = Response(status=204) if code == 204 else json_response(reply.body, code)
    response.headers.update(reply.headers)
    for name, (value, max_age) in reply.cookies.items():
        response.set_cookie(name, value, max_age=max_age, httponly=True, samesite="Lax", path="/")
    return response
