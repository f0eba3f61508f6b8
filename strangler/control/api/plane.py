"""What every route gets: the control plane, and a capability's name that exists."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated, Any

import orjson
from fastapi import Depends, Request
from fastapi.responses import StreamingResponse

from strangler.control import naming
from strangler.control.bootstrap import ControlPlane

NDJSON = "application/x-ndjson"
STREAMED: dict[int | str, dict[str, Any]] = {
    200: {
        "description": 'One JSON object a line: `{"event": "progress" | "step" | "done" | ...}` while it goes on, the '
        'last one `{"event": "result", ...}` or `{"event": "error", "exit": N, "reasons": [...]}`.',
        "content": {NDJSON: {"schema": {"type": "object", "required": ["event"]}}},
    }
}


def _plane(request: Request) -> ControlPlane:
    plane: ControlPlane = request.app.state.control
    return plane


Plane = Annotated[ControlPlane, Depends(_plane)]


def _capability(plane: Plane, capability: str) -> str:
    return naming.known(plane.config, capability)


CapabilityName = Annotated[str, Depends(_capability)]


def lines(events: AsyncIterator[dict[str, Any]]) -> StreamingResponse:
    async def encoded() -> AsyncIterator[bytes]:
        async for event in events:
            yield orjson.dumps(event, default=str, option=orjson.OPT_APPEND_NEWLINE)

    return StreamingResponse(encoded(), media_type=NDJSON)
