"""What was measured."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, Query

from strangler.control.api.plane import CapabilityName, Plane
from strangler.control.models import EvidenceListOut, EvidenceOut, NewEvidence
from strangler.evidence import Evidence, Kind

router = APIRouter(prefix="/evidence", tags=["evidence"])


@router.get("/{capability}", summary="The newest results first")
async def found(
    plane: Plane,
    capability: CapabilityName,
    kind: Kind | None = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 50,
) -> EvidenceListOut:
    results = await asyncio.to_thread(lambda: plane.evidence.list(capability, kind=kind, limit=limit))
    return EvidenceListOut(capability=capability, evidence=[EvidenceOut(**e.to_json()) for e in results])


@router.post("/{capability}", summary="Bring a result of a contract or load run", status_code=201)
async def bring(plane: Plane, capability: CapabilityName, body: NewEvidence) -> EvidenceOut:
    evidence = Evidence(capability, body.kind, plane.now(), body.ok, body.summary, body.data)
    await asyncio.to_thread(plane.evidence.add, evidence)
    return EvidenceOut(**evidence.to_json())
