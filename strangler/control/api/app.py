"""The FastAPI application: routers, the token, errors in one shape."""

from __future__ import annotations

import secrets
import time
from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import Depends, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, PlainTextResponse
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.exceptions import HTTPException

import strangler
from strangler.control.api import (
    audit,
    capabilities,
    cohorts,
    evidence,
    flags,
    quarantine,
    repair,
    status,
    sync,
    verify,
)
from strangler.control.bootstrap import ControlPlane
from strangler.control.metric_defs import API_REQUESTS, API_SECONDS, REGISTRY
from strangler.control.models import ErrorOut
from strangler.exits import Exit, StranglerError, Usage

_ERRORS = {
    401: "the token is missing or wrong",
    409: "refused, reasons given",
    422: "wrong usage",
    423: "another operation holds the lock",
    502: "failed, everything as before",
}
_bearer = HTTPBearer(auto_error=False, description="the text of .strangler/state/token")


def build(control: ControlPlane) -> FastAPI:
    app = FastAPI(
        title="Strangler",
        version=strangler.__version__,
        description="Where traffic goes and how rows follow, one capability at a time.",
        docs_url="/docs",
        redoc_url=None,
    )
    app.state.control = control
    responses: dict[int | str, dict[str, object]] = {
        code: {"model": ErrorOut, "description": text} for code, text in _ERRORS.items()
    }
    for part in (status, flags, capabilities, repair, sync, quarantine, verify, audit, evidence, cohorts):
        app.include_router(part.router, prefix="/v1", dependencies=[Depends(_allowed)], responses=responses)
    app.add_api_route("/health", _health, summary="Is the process there", tags=["process"])
    app.add_api_route("/metrics", _metrics, summary="Prometheus", tags=["process"], response_class=PlainTextResponse)
    app.exception_handler(StranglerError)(_say)
    app.exception_handler(RequestValidationError)(_say_validation)
    app.exception_handler(HTTPException)(_say_http)
    app.middleware("http")(_measure)
    return app


def _allowed(request: Request, given: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]) -> None:
    """Loopback is shared by everybody on the machine; the token file is not."""
    token: str = request.app.state.control.token
    if given is None or not secrets.compare_digest(given.credentials.encode(), token.encode()):
        raise HTTPException(401, "the token is missing or wrong: it is in .strangler/state/token")


def _health(request: Request) -> dict[str, object]:
    control: ControlPlane = request.app.state.control
    return {"status": "ok", "version": control.flagging.flags.version, "proxies": len(control.flagging.proxies)}


def _metrics() -> Response:
    return Response(generate_latest(REGISTRY), media_type=CONTENT_TYPE_LATEST)


async def _say(request: Request, error: Exception) -> Response:
    assert isinstance(error, StranglerError)
    return JSONResponse(error.answer(), error.status)


async def _say_validation(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    lines = [f"{'.'.join(str(p) for p in e['loc'][1:]) or 'body'}: {e['msg']}" for e in error.errors()]
    return JSONResponse(Usage("the request is not understood: " + "; ".join(lines)).answer(), Usage.status)


async def _say_http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    answer = {"event": "error", "error": str(error.detail), "exit": int(Exit.FAILED), "reasons": []}
    return JSONResponse(answer, error.status_code)


async def _measure(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
    started = time.perf_counter()
    response = await call_next(request)
    route = request.scope.get("route")
    path = getattr(route, "path", "other")
    API_REQUESTS.labels(request.method, path, str(response.status_code)).inc()
    API_SECONDS.labels(request.method, path).observe(time.perf_counter() - started)
    return response
