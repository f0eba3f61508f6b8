"""Finishing or undoing what a crash left half done."""

from __future__ import annotations

from fastapi import APIRouter

from strangler.control.api.plane import Plane
from strangler.control.models import Change, JournalOut, RepairOut

router = APIRouter(prefix="/repair", tags=["phases"])


@router.post("", summary="Finish or undo every move of ownership that was cut off")
async def repair(plane: Plane, body: Change) -> RepairOut:
    """Needs no reason: it only brings to its end what was begun with one."""
    done = await plane.mover.repair(actor=body.actor, dry_run=body.dry_run)
    return RepairOut(dry_run=body.dry_run, journals=[JournalOut(**each) for each in done])
