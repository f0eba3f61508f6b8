"""Where are we."""

from __future__ import annotations

from fastapi import APIRouter

from strangler.control.api.plane import CapabilityName, Plane
from strangler.control.models import StatusOut

router = APIRouter(tags=["status"])


@router.get("/status", summary="Every capability: traffic, data, next step, way back")
async def everything(plane: Plane) -> StatusOut:
    return await plane.board.read()


@router.get("/status/{capability}", summary="The same for one capability")
async def one(plane: Plane, capability: CapabilityName) -> StatusOut:
    return await plane.board.read({capability})
