"""The gateway's HTTP face."""

from __future__ import annotations

import time
from typing import Any

from flask import Flask, Response, request

from legacy_monolith.gateway.ledger import KeyReused, Ledger, TooMuch, UnknownCharge
from legacy_monolith.web.answer import json_response

#: ``tok_slow`` answers, but takes its time.
SLOW_SECONDS = 1.0
LARGEST_PAGE = 10_000


class Refused(Exception):
    """The request can't be served."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def create_gateway(ledger: Ledger) -> Flask:
    app = Flask("legacy_monolith.gateway")

    @app.errorhandler(Refused)
    def refused(error: Refused) -> Response:
        return json_response({"error": str(error)}, error.status)

    @app.errorhandler(KeyReused)
    def reused(error: KeyReused) -> Response:
        return json_response({"error": f"idempotency key {error} was used for another request"}, 409)

    @app.errorhandler(UnknownCharge)
    def unknown(error: UnknownCharge) -> Response:
        return json_response({"error": f"no captured charge {error}"}, 404)

    @app.errorhandler(TooMuch)
    def too_much(error: TooMuch) -> Response:
        return json_response({"error": f"more than is left of charge {error}"}, 422)

    @app.get("/health")
    def health() -> Response:
        return json_response({"status": "ok", **ledger.balance()})

    @app.post("/charges")
    def charge() -> Response:
        key, body = _key(), _body()
        source = body.get("source")
        if not isinstance(source, str) or not source:
            raise Refused(400, "source is needed")
        if source == "tok_slow":
            time.sleep(SLOW_SECONDS)
        entry, new = ledger.charge(key, _amount(body), source)
        status = 201 if new else 200
        return json_response(entry.as_json(), status if entry.status == "captured" else 402)

    @app.post("/charges/void")
    def void() -> Response:
        entry = ledger.void(_key())
        return json_response({"charge": entry.as_json() if entry else None})

    @app.post("/charges/<charge_id>/refunds")
    def refund(charge_id: str) -> Response:
        entry, new = ledger.refund(charge_id, _key(), _amount(_body()))
        return json_response(entry.as_json(), 201 if new else 200)

    @app.get("/charges/<charge_id>")
    def one(charge_id: str) -> Response:
        entry = ledger.find(charge_id)
        if entry is None or entry.kind != "charge":
            raise UnknownCharge(charge_id)
        return json_response(entry.as_json())

    @app.get("/ledger")
    def listing() -> Response:
        after, limit = request.args.get("after", 0, type=int), request.args.get("limit", 1000, type=int)
        entries = ledger.listing(request.args.get("kind"), after, max(1, min(limit, LARGEST_PAGE)))
        following = entries[-1].seq if entries else None
        return json_response({"entries": [entry.as_json() for entry in entries], "next": following})

    return app


def _key() -> str:
    key = request.headers.get("Idempotency-Key")
    if not key:
        raise Refused(400, "the header Idempotency-Key is needed")
    return key


def _body() -> dict[str, Any]:
    body = request.get_json(force=True, silent=True)
    if not isinstance(body, dict):
        raise Refused(400, "the body must be a JSON object")
    return body


def _amount(body: dict[str, Any]) -> int:
    amount = body.get("amount_cents")
    if type(amount) is not int or amount <= 0:
        raise Refused(400, "amount_cents must be a whole number above 0")
    return amount
