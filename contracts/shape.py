"""Shapes: JSON Schema, as small functions, and the check of an answer against one."""

from __future__ import annotations

from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match

from contracts.case import Broken, require
from contracts.visitor import Answer

Schema = dict[str, Any]

TEXT: Schema = {"type": "string"}
MAYBE_TEXT: Schema = {"type": ["string", "null"]}
COUNT: Schema = {"type": "integer", "minimum": 0}
KEY: Schema = {"type": "integer", "minimum": 1}
YES_NO: Schema = {"type": "boolean"}
MONEY: Schema = {"type": "string", "pattern": r"^\d{1,8}\.\d{2}$"}
MAYBE_MONEY: Schema = {"type": ["string", "null"], "pattern": r"^\d{1,8}\.\d{2}$"}
LOCAL_TIME: Schema = {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d-08:00$"}


def one_of(*words: str) -> Schema:
    return {"type": "string", "enum": list(words)}


def record(**properties: Schema) -> Schema:
    """An object with exactly these keys."""
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


def maybe(schema: Schema) -> Schema:
    return {"oneOf": [schema, {"type": "null"}]}


def each(schema: Schema, **limits: int) -> Schema:
    return {"type": "array", "items": schema, **limits}


ERROR = record(error=record(code=TEXT, message=TEXT, field=MAYBE_TEXT))


def check(answer: Answer, status: int, schema: Schema) -> Any:
    """The answer's JSON, if it has this status, says it is JSON, and has this shape. Raises Broken."""
    require(answer.status == status, f"expected status {status}: {answer}")
    kind = answer.headers.get("content-type", "")
    require(kind == "application/json", f"expected content-type application/json, got {kind!r}: {answer.request}")
    try:
        body = answer.json
    except ValueError as problem:
        raise Broken(f"the body is not JSON ({problem}): {answer}") from problem
    wrong = best_match(Draft202012Validator(schema).iter_errors(body))
    if wrong is not None:
        raise Broken(f"{answer.request}: {wrong.json_path} {wrong.message[:300]}")
    return body


def check_error(answer: Answer, status: int, code: str, field: str | None, message: str | None = None) -> None:
    """The API's own error body. Raises Broken."""
    error = check(answer, status, ERROR)["error"]
    require(error["code"] == code, f"{answer.request}: error code {error['code']!r}, expected {code!r}")
    require(error["field"] == field, f"{answer.request}: error field {error['field']!r}, expected {field!r}")
    if message is not None:
        require(error["message"] == message, f"{answer.request}: message {error['message']!r}, expected {message!r}")
