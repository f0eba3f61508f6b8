"""Signed tokens that make a client a member of a cohort."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter

from proxy.cohort import COOKIE, HEADER, token
from strangler.config.problem import nearest
from strangler.control import naming
from strangler.control.api.plane import Plane
from strangler.control.audit import Entry
from strangler.control.models import TokenOut, TokenRequest
from strangler.exits import Usage

router = APIRouter(prefix="/cohorts", tags=["cohorts"])


@router.post("/{cohort}/token", summary="A token for the cookie or header")
async def issue(plane: Plane, cohort: str, body: TokenRequest) -> TokenOut:
    cohorts = plane.config.proxy.cohorts
    if cohort not in cohorts:
        raise Usage(f"no cohort {cohort!r} in {plane.config.path.name}; {nearest(cohort, cohorts)}")
    reason = naming.given(body.reason, dry_run=False)
    entry = Entry(
        at=plane.now(),
        actor=body.actor,
        action="cohort token",
        capability=None,
        reason=reason,
        after={"cohort": cohort, "ttl_seconds": body.ttl_seconds},
    )
    await asyncio.to_thread(plane.audit.write, entry)
    signed = token(cohort, plane.cohort_key, body.ttl_seconds)
    return TokenOut(cohort=cohort, cookie=COOKIE, header=HEADER, token=signed, ttl_seconds=body.ttl_seconds)
