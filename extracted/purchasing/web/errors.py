"""Errors as the API says them: ``{"error":{"code":..., "message":..., "field":...}}``."""

from __future__ import annotations

import logging

from flask import Flask, Response, request
from marshmallow import ValidationError
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from extracted.purchasing.database import Busy, NotOwner, unreachable
from extracted.purchasing.shop import ShopUnreachable
from extracted.purchasing.web.answer import json_response

LOG = logging.getLogger(__name__)


class ApiError(Exception):
    """What the caller has to know. ``code`` is for programs, ``message`` for people, ``field`` names the culprit."""

    def __init__(self, status: int, code: str, message: str, field: str | None = None) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.field = status, code, message, field


def invalid(field: str | None, message: str) -> ApiError:
    return ApiError(400, "invalid", message, field)


def not_found(noun: str) -> ApiError:
    return ApiError(404, "not_found", f"{noun} not found")


def conflict(code: str, message: str, field: str | None = None) -> ApiError:
    return ApiError(409, code, message, field)


def error_response(status: int, code: str, message: str, field: str | None = None) -> Response:
    response = json_response({"error": {"code": code, "message": message, "field": field}}, status)
    if status == 503 and code != "payment_unknown":
        response.headers["Retry-After"] = "1"
    return response


def first_problem(error: ValidationError) -> tuple[str | None, str]:
    """The first field that marshmallow complains about, as ``items.0.id``, and its message."""
    path: list[str] = []
    node: object = error.messages
    while isinstance(node, dict) and node:
        key, node = next(iter(node.items()))
        if key != "_schema":
            path.append(str(key))
    message = node[0] if isinstance(node, list) and node else str(node)
    return ".".join(path) or None, str(message)


def install(app: Flask) -> None:
    """All that can be raised in a view becomes JSON; what nobody expected is logged with its trace."""

    @app.errorhandler(ApiError)
    def known(error: ApiError) -> Response:
        return error_response(error.status, error.code, error.message, error.field)

    @app.errorhandler(ValidationError)
    def validation(error: ValidationError) -> Response:
        field, message = first_problem(error)
        return error_response(400, "invalid", message, field)

    @app.errorhandler(Busy)
    def busy(error: Busy) -> Response:
        LOG.warning("busy: %s", error)
        return error_response(503, "busy", "too many people want the same thing, try again")

    @app.errorhandler(NotOwner)
    def refused(error: NotOwner) -> Response:
        LOG.warning("%s %s was refused by the database: %s", request.method, request.path, error)
        return error_response(503, "not_owner", "purchases are handled elsewhere at the moment: repeat the request")

    @app.errorhandler(ShopUnreachable)
    def shop(error: ShopUnreachable) -> Response:
        LOG.warning("the monolith could not be asked: %s", error)
        return error_response(503, "unavailable", "the shop can't be asked at the moment, try again")

    @app.errorhandler(PoolTimeout)
    @app.errorhandler(DBAPIError)
    def database(error: Exception) -> Response:
        LOG.error("%s %s: the database failed: %s", request.method, request.path, error)
        if isinstance(error, PoolTimeout) or (isinstance(error, DBAPIError) and unreachable(error)):
            return error_response(503, "unavailable", "the shop's database does not answer, try again")
        return error_response(500, "internal", "something went wrong on our side")

    @app.errorhandler(HTTPException)
    def http(error: HTTPException) -> Response:
        status = error.code or 500
        if status == 404:
            return error_response(404, "not_found", "no such address")
        response = error_response(status, error.name.lower().replace(" ", "_"), error.description or error.name)
        if isinstance(error, MethodNotAllowed) and error.valid_methods:
            response.headers["Allow"] = ", ".join(sorted(error.valid_methods))
        return response

    @app.errorhandler(Exception)
    def unexpected(error: Exception) -> Response:
        LOG.error("%s %s failed", request.method, request.path, exc_info=error)
        return error_response(500, "internal", "something went wrong on our side")
