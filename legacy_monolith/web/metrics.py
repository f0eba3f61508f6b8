"""``/metrics``: requests and their time per route. With several gunicorn workers the figures of all are added up."""

from __future__ import annotations

import os
import time

from flask import Blueprint, Flask, Response, g, request
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Histogram, generate_latest, multiprocess

from legacy_monolith.web.endpoint import Call, endpoint
from legacy_monolith.web.metrics_folder import MULTIPROCESS


def install(app: Flask) -> None:
    """Counts every request under its route's template, so that ids make no new series."""
    registry = CollectorRegistry()
    requests = Counter("shop_http_requests", "requests", ("method", "route", "status"), registry=registry)
    seconds = Histogram("shop_http_request_seconds", "seconds per request", ("method", "route"), registry=registry)
    blueprint = Blueprint("metrics", __name__)

    @app.before_request
    def begin() -> None:
        g.metrics_began = time.perf_counter()

    @app.after_request
    def end(response: Response) -> Response:
        route = request.url_rule.rule if request.url_rule else "unknown"
        requests.labels(request.method, route, response.status_code).inc()
        seconds.labels(request.method, route).observe(time.perf_counter() - g.metrics_began)
        return response

    @blueprint.get("/metrics")
    @endpoint("Figures for Prometheus (text)", own_transactions=True)
    def metrics(call: Call) -> Response:
        source = registry
        if MULTIPROCESS in os.environ:
            source = CollectorRegistry()
            multiprocess.MultiProcessCollector(source)
        return Response(generate_latest(source), content_type=CONTENT_TYPE_LATEST)

    app.register_blueprint(blueprint)
