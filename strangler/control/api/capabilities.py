"""Moving capabilities between phases."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import StreamingResponse

from strangler.control import naming
from strangler.control.api.plane import STREAMED, CapabilityName, Plane, lines
from strangler.control.models import Advance, Rollback

router = APIRouter(prefix="/capabilities", tags=["phases"], default_response_class=StreamingResponse)


@router.post("/{capability}/advance", summary="One phase on, if its gate allows", responses=STREAMED)
async def advance(plane: Plane, capability: CapabilityName, body: Advance) -> StreamingResponse:
    reason = naming.given(body.reason, dry_run=body.dry_run)
    return lines(
        await plane.mover.advance(
            capability, body.to, body.percent, actor=body.actor, reason=reason, dry_run=body.dry_run
        )
    )


@router.post("/{capability}/rollback", summary="Back to an earlier phase, without evidence", responses=STREAMED)
async def rollback(plane: Plane, capability: CapabilityName, body: Rollback) -> StreamingResponse:
    reason = naming.given(body.reason, dry_run=body.dry_run)
    return lines(await plane.mover.rollback(capability, body.to, actor=body.actor, reason=reason, dry_run=body.dry_run))
