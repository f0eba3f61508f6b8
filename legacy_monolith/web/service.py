"""The addresses that are about the process, not the shop."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, current_app
from sqlalchemy import text

from legacy_monolith.web.answer import json_response
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
    return json_response(document(current_app))
