"""What views give back, and its bytes."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from flask import Response


@dataclass
class Reply:
    """An answer that is more than a body with the endpoint's usual status."""

    body: Any
    status: int | None = None
    headers: dict[str, str] = field(default_factory=dict)
    #: name -> (value, max age in seconds); an empty value deletes the cookie
    cookies: dict[str, tuple[str, int]] = field(default_factory=dict)


def to_json(body: Any) -> str:
    """Compact, keys in the order given, no escapes for what UTF-8 can say."""
    return json.dumps(body, separators=(",", ":"), ensure_ascii=False)


def json_response(body: Any, status: int = 200) -> Response:
    return Response(to_json(body), status=status, content_type="application/json")
