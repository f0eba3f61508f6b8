"""``/openapi.json``, made from the declarations of the views: a route without one can't be served."""

from __future__ import annotations

import re
from typing import Any

from apispec import APISpec
from apispec.ext.marshmallow import MarshmallowPlugin
from flask import Flask
from werkzeug.routing import Rule

from legacy_monolith.catalog.answers import MAYBE_TEXT, TEXT, record
from legacy_monolith.web.endpoint import COOKIE, Access, Endpoint

_CONVERTER = re.compile(r"<(?:(\w+):)?(\w+)>")
_WORDS = {
    400: "bad input; `field` names the culprit",
    401: "not logged in",
    402: "the card was declined",
    403: "not allowed",
    404: "no such thing",
    409: "not possible as things stand",
    503: "try again",
}


class Undocumented(Exception):
    """A view was registered without ``@endpoint``."""


def document(app: Flask) -> dict[str, Any]:
    """OpenAPI 3.1 of all routes. Raises Undocumented."""
    spec = APISpec(
        title="Second-hand shop",
        version="1",
        openapi_version="3.1.0",
        plugins=[MarshmallowPlugin()],
    )
    spec.components.schema("Error", {**record(error=record(code=TEXT, message=TEXT, field=MAYBE_TEXT))})
    spec.components.security_scheme("bearer", {"type": "http", "scheme": "bearer"})
    spec.components.security_scheme("cookie", {"type": "apiKey", "in": "cookie", "name": COOKIE})
    for rule in sorted(app.url_map.iter_rules(), key=lambda rule: rule.rule):
        declared = getattr(app.view_functions[rule.endpoint], "endpoint", None)
        if not isinstance(declared, Endpoint):
            raise Undocumented(f"{rule.rule} ({rule.endpoint}) has no @endpoint")
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            spec.path(path=template(rule.rule), operations={method.lower(): _operation(rule, method, declared)})
    return spec.to_dict()


def template(rule: str) -> str:
    """Flask's ``/a/<int:b>`` as ``/a/{b}``."""
    return _CONVERTER.sub(r"{\2}", rule)


def _operation(rule: Rule, method: str, declared: Endpoint) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": rule.endpoint.replace(".", "_"),
        "summary": declared.summary,
        "tags": [rule.endpoint.split(".")[0]],
        "parameters": [*_path_parameters(rule.rule), *declared.parameters],
        "responses": {str(declared.status): _success(declared)},
    }
    if declared.query:
        operation["parameters"].append({"in": "query", "schema": declared.query})
    if declared.body:
        operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": declared.body}}}
    for status in declared.errors:
        operation["responses"][str(status)] = {
            "description": _WORDS[status],
            "content": {"application/json": {"schema": "Error"}},
        }
    if declared.access is not Access.PUBLIC:
        operation["security"] = [{"bearer": []}, {"cookie": []}]
    return operation


def _path_parameters(rule: str) -> list[dict[str, Any]]:
    return [
        {
            "in": "path",
            "name": name,
            "required": True,
            "schema": {"type": "integer" if converter == "int" else "string"},
        }
        for converter, name in _CONVERTER.findall(rule)
    ]


def _success(declared: Endpoint) -> dict[str, Any]:
    if declared.status == 204:
        return {"description": "done"}
    schema = declared.answer or {"type": "object"}
    return {"description": declared.summary, "content": {"application/json": {"schema": schema}}}
