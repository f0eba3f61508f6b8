"""Errors as the API says them: ``{"error":{"code":..., "message":..., "field":...}}``."""

from __future__ import annotations

from flask import Flask, Response
from marshmallow import ValidationError
from sqlalchemy.exc import DBAPIError
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from legacy_monolith.database import Busy, unreachable
from legacy_monolith.web.answer import json_response


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
    return json_response({"error": {"code": code, "message": message, "field": field}}, status)


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
        app.logger.warning("busy", exc_info=error)
        response = error_response(503, "busy", "too many people want the same thing, try again")
        response.headers["Retry-After"] = "1"
        return response

    @app.errorhandler(DBAPIError)
    def database(error: DBAPIError) -> Response:
        app.logger.error("database error", exc_info=error)
        if unreachable(error):
            response = error_response(503, "unavailable", "the shop's database does not answer, try again")
            response.headers["Retry-After"] = "1"
            return response
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
        app.logger.error("unexpected error", exc_info=error)
        return error_response(500, "internal", "something went wrong on our side")
