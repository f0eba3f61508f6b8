"""The HTTP side of the service: routes, errors, metrics."""

from __future__ import annotations

import logging
import time
from typing import Any

import orjson
from flask import Flask, Response, g, request
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Histogram, generate_latest
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException

from extracted.catalog import representation
from extracted.catalog.question import Invalid, as_id, parse
from extracted.catalog.reads import Reads, make_engine
from extracted.catalog.settings import Settings

log = logging.getLogger("extracted.catalog")


def create_app(settings: Settings) -> Flask:
    """The service over its database; nothing is connected before the first request."""
    app = Flask("extracted.catalog", static_folder=None)
    reads = Reads(make_engine(settings), settings.tree_seconds)
    _add_routes(app, reads)
    _add_errors(app)
    _add_metrics(app)
    return app


def answer(body: dict[str, Any], status: int = 200) -> Response:
    return Response(orjson.dumps(body), status, mimetype="application/json")


def _add_routes(app: Flask, reads: Reads) -> None:
    @app.get("/api/items")
    def items() -> Response:
        return answer(reads.items(parse(request.args)))

    @app.get("/api/items/<item_id>")
    def item(item_id: str) -> Response:
        key = as_id(item_id)
        body = None if key is None else reads.item(key)
        return answer(representation.error("not_found", "item not found"), 404) if body is None else answer(body)

    @app.get("/api/brands")
    def brands() -> Response:
        return answer(reads.brands())

    @app.get("/api/categories")
    def categories() -> Response:
        return answer(reads.categories())

    @app.get("/health")
    def health() -> Response:
        reads.check()
        return answer({"status": "ok"})


def _add_errors(app: Flask) -> None:
    @app.errorhandler(Invalid)
    def invalid(problem: Invalid) -> Response:
        return answer(representation.error("invalid", problem.message, problem.field), 400)

    @app.errorhandler(HTTPException)
    def http(problem: HTTPException) -> Response:
        if problem.code == 404:
            return answer(representation.error("not_found", "no such address"), 404)
        code = (problem.name or "error").lower().replace(" ", "_")
        body = answer(representation.error(code, problem.description or problem.name), problem.code or 500)
        if problem.code == 405:
            body.headers["Allow"] = ", ".join(sorted(getattr(problem, "valid_methods", None) or ()))
        return body

    @app.errorhandler(DBAPIError)
    @app.errorhandler(PoolTimeout)
    def database(problem: Exception) -> Response:
        log.error("%s %s: the database failed: %s", request.method, request.full_path, problem)
        return answer(representation.error("unavailable", "the catalog can't be read at the moment"), 503)

    @app.errorhandler(Exception)
    def unexpected(problem: Exception) -> Response:
        log.exception("%s %s failed", request.method, request.full_path, exc_info=problem)
        return answer(representation.error("internal", "internal error"), 500)


def _add_metrics(app: Flask) -> None:
    registry = CollectorRegistry()
    seconds = Histogram(
        "catalog_request_seconds",
        "Time from the request's arrival in Flask to its answer, by route and status.",
        ("route", "status"),
        buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5),
        registry=registry,
    )

    @app.before_request
    def begin() -> None:
        g.began = time.perf_counter()

    @app.after_request
    def end(response: Response) -> Response:
        route = request.url_rule.rule if request.url_rule else "unknown"
        seconds.labels(route, response.status_code).observe(time.perf_counter() - g.began)
        return response

    @app.get("/metrics")
    def metrics() -> Response:
        return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)
