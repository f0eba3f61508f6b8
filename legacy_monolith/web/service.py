"""The addresses that are about the process, not the shop."""

from __future__ import annotations

import json
from typing import Any

from flask import Blueprint, Response, current_app
from sqlalchemy import text

from legacy_monolith.web.endpoint import Call, endpoint
from legacy_monolith.web.openapi import document

blueprint = Blueprint("service", __name__)


@blueprint.get("/health")
@endpoint("Whether the shop and its database answer", errors=(503,))
def health(call: Call) -> dict[str, Any]:
    call.session.execute(text("SELECT 1"))
    return {"status": "ok"}


@blueprint.get("/openapi.json")
@endpoint("This document", own_transactions=True)
def openapi(call: Call) -> Response:
    body = json.dumps(document(current_app), default=float)  # bounds of amounts are Decimals
    return Response(body, content_type="application/json")
