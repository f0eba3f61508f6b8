"""``/health`` and ``/metrics``."""

from __future__ import annotations

import time

from flask import Flask, Response, g, request
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Histogram, generate_latest
from sqlalchemy import text

from extracted.purchasing.service import Service
from extracted.purchasing.web.answer import json_response


def install(app: Flask, service: Service) -> None:
    registry = CollectorRegistry()
    seconds = Histogram(
        "purchasing_request_seconds",
        "Time from the request's arrival in Flask to its answer, by route and status.",
        ("method", "route", "status"),
        buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5),
        registry=registry,
    )

    @app.before_request
    def begin() -> None:
        g.began = time.perf_counter()

    @app.after_request
    def end(response: Response) -> Response:
        route = request.url_rule.rule if request.url_rule else "unknown"
        seconds.labels(request.method, route, response.status_code).observe(time.perf_counter() - g.began)
        return response

    @app.get("/metrics")
    def metrics() -> Response:
        return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)

    @app.get("/health")
    def health() -> Response:
        service.database.run(lambda session: session.execute(text("SELECT 1 FROM stock LIMIT 1")).all())
        return json_response({"status": "ok"})
