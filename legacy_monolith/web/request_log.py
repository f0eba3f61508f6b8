"""One JSON line per request, and a request id that goes in and comes out."""

from __future__ import annotations

import json
import logging
import re
import secrets
import sys
import time
from datetime import UTC, datetime
from typing import Any

from flask import Flask, Response, g, request

_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
#: Too frequent to be worth a line.
_QUIET = frozenset({"/health", "/metrics"})


class JsonLines(logging.Formatter):
    """time, level, logger, message, what ``extra={"fields": {...}}`` brought, and the trace if there is one."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            line["trace"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)


def install(app: Flask) -> None:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    logger = logging.getLogger("legacy_monolith")
    logger.handlers, logger.propagate = [handler], False
    logger.setLevel(logging.INFO)
    app.logger.handlers, app.logger.propagate = [handler], False

    @app.before_request
    def begin() -> None:
        given = request.headers.get("X-Request-Id", "")
        g.request_id = given if _ID.fullmatch(given) else secrets.token_hex(8)
        g.began = time.perf_counter()

    @app.after_request
    def end(response: Response) -> Response:
        response.headers["X-Request-Id"] = g.request_id
        if request.path not in _QUIET:
            fields = {
                "request_id": g.request_id,
                "method": request.method,
                "path": request.path,
                "status": response.status_code,
                "ms": round((time.perf_counter() - g.began) * 1000, 2),
            }
            if trace := request.headers.get("traceparent"):
                fields["traceparent"] = trace
            logger.info("request", extra={"fields": fields})
        return response
