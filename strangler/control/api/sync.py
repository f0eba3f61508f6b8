"""Change streams."""

from __future__ import annotations

from fastapi import APIRouter

from strangler.control import naming
from strangler.control.api.plane import CapabilityName, Plane
from strangler.control.models import SyncChange, SyncChangeOut, SyncStatusOut
from strangler.control.sync_change import Action

router = APIRouter(prefix="/sync", tags=["streams"])


@router.get("", summary="All change streams")
async def everything(plane: Plane) -> SyncStatusOut:
    return await plane.syncer.status(list(plane.config.capabilities))


@router.get("/{capability}", summary="One capability's change stream")
async def one(plane: Plane, capability: CapabilityName) -> SyncStatusOut:
    return await plane.syncer.status([capability])


@router.post("/{capability}/{action}", summary="Start, pause, resume, or copy tables again")
async def change(plane: Plane, capability: CapabilityName, action: Action, body: SyncChange) -> SyncChangeOut:
    naming.given(body.reason, dry_run=body.dry_run)
    return await plane.syncer.change(capability, action, body)
