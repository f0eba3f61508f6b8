"""Events that could not be applied."""

from __future__ import annotations

from fastapi import APIRouter

from cdc.quarantine import Action
from strangler.control import naming
from strangler.control.api.plane import Plane
from strangler.control.models import QuarantineChange, QuarantineChangeOut, QuarantineOut

router = APIRouter(prefix="/quarantine", tags=["quarantine"])


@router.get("", summary="The first event of every key that waits")
async def events(plane: Plane, capability: str | None = None) -> QuarantineOut:
    names = list(plane.config.capabilities) if capability is None else [naming.known(plane.config, capability)]
    return await plane.quarantine.events(names)


@router.post("/retry", summary="Apply what waits, in order: of all keys, or of one capability's")
async def retry_all(plane: Plane, body: QuarantineChange) -> QuarantineChangeOut:
    return await plane.quarantine.change(Action.RETRY, body.ids, body)


@router.get("/{id}", summary="All events of one key, in order, whole")
async def one(plane: Plane, id: str) -> QuarantineOut:
    return await plane.quarantine.show(id)


@router.post("/{id}/retry", summary="Apply the events of this one's key, in order")
async def retry(plane: Plane, id: str, body: QuarantineChange) -> QuarantineChangeOut:
    return await plane.quarantine.change(Action.RETRY, [id], body)


@router.post("/{id}/discard", summary="Throw one event away; what waits behind it is applied")
async def discard(plane: Plane, id: str, body: QuarantineChange) -> QuarantineChangeOut:
    naming.given(body.reason, dry_run=body.dry_run)
    return await plane.quarantine.change(Action.DISCARD, [id], body)
