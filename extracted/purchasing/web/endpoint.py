"""How a view is declared: who may call it and what it takes."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from flask import Response, current_app, request
from marshmallow import Schema
from sqlalchemy.orm import Session

from extracted.purchasing.service import Service
from extracted.purchasing.tables import User
from extracted.purchasing.web.answer import Reply, json_response
from extracted.purchasing.web.errors import invalid
from extracted.purchasing.web.late import wait_for_copies
from extracted.purchasing.web.visitor import asker, authenticated


class Access(StrEnum):
    """Who may call a view."""

    USER = "user"  # logged in
    STAFF = "staff"  # logged in, and works here


@dataclass
class Call:
    """One request on its way through a view. ``session`` is in a transaction that commits when the view returns.
    ``asker``: the headers by which the monolith knows who asks."""

    service: Service
    session: Session
    user: User
    body: dict[str, Any]
    query: dict[str, Any]
    asker: dict[str, str]


View = Callable[..., Any]


def endpoint(
    *,
    access: Access = Access.USER,
    body: type[Schema] | None = None,
    query: type[Schema] | None = None,
    status: int = 200,
    own_transactions: bool = False,
) -> Callable[[View], View]:
    """Declares a view: it gets a ``Call`` and the path's parts, and gives a body or a ``Reply``.

    A view may raise Missing (see ``late``) as long as it has done nothing that outlives its transaction.
    ``own_transactions``: the view opens its transactions itself through ``call.service.database`` (``call.session`` is
    closed, ``call.user`` is detached).
    """

    def decorate(view: View) -> View:
        @functools.wraps(view)
        def wrapper(**path: Any) -> Response:
            service: Service = current_app.extensions["service"]
            loaded_body = body().load(_json_body()) if body else {}
            loaded_query = query().load(request.args.to_dict()) if query else {}

            def enter(session: Session) -> Call:
                user = authenticated(service, session, staff=access is Access.STAFF)
                return Call(service, session, user, loaded_body, loaded_query, asker())

            def work() -> Any:
                if own_transactions:
                    return view(service.database.run(enter), **path)
                return service.database.run(lambda session: view(enter(session), **path))

            return _response(wait_for_copies(work, service.settings.patience_seconds), status)

        return wrapper

    return decorate


def _json_body() -> dict[str, Any]:
    body = request.get_json(force=True, silent=True) if request.get_data(cache=True) else {}
    if not isinstance(body, dict):
        raise invalid(None, "the body must be a JSON object")
    return body


def _response(result: Any, status: int) -> Response:
    reply = result if isinstance(result, Reply) else Reply(result)
    code = reply.status or status
    if code == 204:
        return Response(status=204)
    if reply.text is not None:
        return Response(reply.text, status=code, content_type="application/json")
    return json_response(reply.body, code)
