"""What views give back, and its bytes."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from flask import Response


@dataclass
class Reply:
    """An answer that is more than a body with the endpoint's usual status. ``text`` is a body that is JSON already."""

    body: Any = None
    status: int | None = None
    text: str | None = None


def to_json(body: Any) -> str:
    """Compact, keys in the order given, no escapes for what UTF-8 can say."""
    return json.dumps(body, separators=(",", ":"), ensure_ascii=False)


def json_response(body: Any, status: int = 200) -> Response:
    return Response(to_json(body), status=status, content_type="application/json")
