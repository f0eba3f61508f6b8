"""Changing flags."""

from __future__ import annotations

from fastapi import APIRouter

from strangler.control import naming
from strangler.control.api.plane import CapabilityName, Plane
from strangler.control.models import FlagChange, FlipOut

router = APIRouter(tags=["flags"])


@router.post("/flags/{capability}", summary="Change the flags of a capability or one of its routes, as one version")
async def change(plane: Plane, capability: CapabilityName, body: FlagChange) -> FlipOut:
    naming.given(body.reason, dry_run=body.dry_run)
    return await plane.flag_setter.change(capability, body)
