"""Who did what and why."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, Query

from strangler.control import naming
from strangler.control.api.plane import Plane
from strangler.control.models import AuditEntryOut, AuditOut

router = APIRouter(tags=["audit"])


@router.get("/audit", summary="The newest entries first")
async def entries(
    plane: Plane, capability: str | None = None, limit: Annotated[int, Query(ge=1, le=1000)] = 50
) -> AuditOut:
    if capability is not None:
        naming.known(plane.config, capability)
    found = await asyncio.to_thread(lambda: plane.audit.list(capability=capability, limit=limit))
    return AuditOut(entries=[AuditEntryOut(**vars(entry)) for entry in found])
