"""Comparing rows."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import StreamingResponse

from strangler.control import naming
from strangler.control.api.plane import STREAMED, CapabilityName, Plane, lines
from strangler.control.models import Verify

router = APIRouter(tags=["verify"], default_response_class=StreamingResponse)


@router.post("/verify/{capability}", summary="Compare every row of the two sides", responses=STREAMED)
async def verify(plane: Plane, capability: CapabilityName, body: Verify) -> StreamingResponse:
    if body.repair:
        naming.given(body.reason, dry_run=body.dry_run)
    return lines(await plane.comparer.compare(capability, body))
