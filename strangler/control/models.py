"""What the API takes and gives. The names are a contract (design, section 5): keys may be added, none renamed."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from cdc.state import Direction
from proxy.routes import Access, Side
from strangler.evidence import Kind
from strangler.gates import Verdict
from strangler.phases import Phase


class Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Change(Body):
    """Everything that changes something says who and why. ``dry_run`` only says what would happen."""

    actor: str = Field("api", min_length=1, max_length=255)
    reason: str = ""
    dry_run: bool = False


class FlagChange(Change):
    """``route`` by name (``GET /api/items``) or path; every read route of the capability without it."""

    route: str | None = None
    percent: float | None = None
    shadow: float | None = None
    pin: Side | Literal["none"] | None = None
    cohort: list[str] = []
    no_cohort: list[str] = []
    fallback: bool | None = None


class Advance(Change):
    to: Phase | None = None
    percent: float | None = None


class Rollback(Change):
    to: Phase | None = None


class SyncChange(Change):
    """``tables`` (legacy names) of a resnapshot; all when empty. ``direction``: which of the capability's streams."""

    tables: list[str] = []
    direction: Direction = Direction.TO_NEW


class QuarantineChange(Change):
    """``ids`` of events whose keys are retried; all (of ``capability``) when there are none."""

    ids: list[str] = []
    capability: str | None = None


class Verify(BaseModel):
    model_config = ConfigDict(extra="forbid")
    actor: str = "api"
    reason: str = ""
    tables: list[str] = []
    repair: bool = False
    anew: bool = False
    dry_run: bool = False


class NewEvidence(BaseModel):
    """A result brought from outside: contract and load runs."""

    model_config = ConfigDict(extra="forbid")
    kind: Literal[Kind.CONTRACT, Kind.LOAD]
    ok: bool
    summary: str = Field(min_length=1)
    data: dict[str, Any] = {}


class TokenRequest(Change):
    ttl_seconds: int = Field(30 * 24 * 3600, gt=0)


class ProxyOut(BaseModel):
    id: str
    applied: int | None
    last_nack: str | None


class Sides(BaseModel):
    legacy: int
    new: int


class SidesMs(BaseModel):
    legacy: float | None
    new: float | None


class RouteOut(BaseModel):
    """``served`` and ``errors`` count since the proxy's start; None when it can't be asked."""

    route: str
    access: Access
    percent: float
    shadow_percent: float
    pin: Side | None
    cohorts: list[str]
    fallback: bool
    served: Sides | None
    errors: Sides | None
    p50_ms: SidesMs | None
    p99_ms: SidesMs | None


class SyncOut(BaseModel):
    """``state`` is ``none`` for a capability without tables, ``unreachable`` when its database doesn't answer."""

    model_config = ConfigDict(extra="allow")
    direction: str | None
    state: str
    lag_seconds: float | None
    behind_events: int | None
    quarantined: int


class CheckOut(BaseModel):
    name: str
    verdict: Verdict
    text: str
    fix: str


class NextOut(BaseModel):
    phase: Phase | None
    allowed: bool
    reasons: list[str]
    checks: list[CheckOut]


class RollbackOut(BaseModel):
    safe: bool
    reasons: list[str]
    rows_at_risk: int


class OperationOut(BaseModel):
    id: str
    kind: str
    actor: str
    reason: str
    since: datetime


class EvidenceOut(BaseModel):
    capability: str
    kind: Kind
    at: datetime
    ok: bool
    summary: str
    data: dict[str, Any]


class HotRowsOut(BaseModel):
    """``rows`` compared since the control plane started; ``different`` when last looked, the first ``keys`` of them."""

    at: datetime | None
    rows: int
    different: int
    in_flight: int
    keys: list[str]


class RoundOut(BaseModel):
    """The comparison of all rows that is under way. ``waiting`` says what slows it down now."""

    began_at: datetime | None
    rows: int
    waiting: str | None


class LastRoundOut(BaseModel):
    at: datetime
    equal: bool
    summary: str


class ContinuousOut(BaseModel):
    """``state`` is ``running``, or ``waiting`` with the reason in ``why``."""

    state: Literal["running", "waiting"]
    why: str | None
    hot: HotRowsOut
    round: RoundOut
    last: LastRoundOut | None


class CapabilityOut(BaseModel):
    name: str
    phase: Phase
    since: datetime | None
    actor: str
    reason: str
    owner: Side
    tables: int
    percent: float | None = Field(description="of users' reads that go to new; None when routes differ")
    routes: list[RouteOut]
    sync: SyncOut
    continuous: ContinuousOut | None = Field(description="the verifier's continuous mode; None where it is off")
    evidence: list[EvidenceOut] = Field(description="the newest of each kind")
    next: NextOut
    rollback: RollbackOut
    operation: OperationOut | None


class JournalOut(BaseModel):
    """A move of ownership that was cut off: what was ``found``, and what was done about it."""

    id: str
    found: str
    action: str


class RepairOut(BaseModel):
    dry_run: bool
    journals: list[JournalOut]


class StatusOut(BaseModel):
    project: str
    now: datetime
    version: int
    applied: bool
    capabilities: list[CapabilityOut]
    proxies: list[ProxyOut]


class FlipOut(BaseModel):
    """``applied``: every connected proxy has acknowledged ``version``. ``changes``: a sentence per changed route."""

    capability: str
    dry_run: bool
    version: int
    from_version: int
    applied: bool
    ms_to_applied: float | None
    proxies: list[ProxyOut]
    summary: str
    changes: list[str]


class StreamOut(BaseModel):
    model_config = ConfigDict(extra="allow")
    capability: str
    direction: str | None
    state: str
    position: str | None
    lag_seconds: float | None
    events: int
    rows_per_second: float


class HeldEventOut(BaseModel):
    """``error`` is None for an event that waits behind an earlier one of its key; ``waiting_behind`` counts those that
    wait for this one. ``event`` (op, before, after, place) comes with one key's events only."""

    capability: str
    direction: str = "to_new"
    id: str
    table: str
    key: str
    op: str
    position: str
    error: str | None
    waiting_behind: int
    stored_at: datetime
    bytes: int
    event: dict[str, Any] | None


class QuarantineUse(BaseModel):
    capability: str
    keys: int
    events: int
    bytes: int
    max_events: int
    max_bytes: int


class QuarantineOut(BaseModel):
    events: list[HeldEventOut]
    use: list[QuarantineUse]
    unreachable: list[str]


class QuarantineChangeOut(BaseModel):
    """``events`` still wait, the first of each key. ``rows``: by table of the new side, the row that a discarded event
    was about, as it is now (None: there is none)."""

    action: str
    dry_run: bool
    done: bool
    would: list[str]
    applied: list[str]
    discarded: list[str]
    events: list[HeldEventOut]
    rows: dict[str, dict[str, Any] | None]


class SyncStatusOut(BaseModel):
    streams: list[StreamOut]


class SyncChangeOut(BaseModel):
    capability: str
    action: str
    dry_run: bool
    done: bool
    would: list[str]
    warnings: list[str]
    streams: list[StreamOut]


class AuditEntryOut(BaseModel):
    at: datetime
    actor: str
    action: str
    capability: str | None
    reason: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    version: int | None
    done: bool
    detail: str


class AuditOut(BaseModel):
    entries: list[AuditEntryOut]


class EvidenceListOut(BaseModel):
    capability: str
    evidence: list[EvidenceOut]


class TokenOut(BaseModel):
    cohort: str
    cookie: str
    header: str
    token: str
    ttl_seconds: int


class ErrorOut(BaseModel):
    """``exit`` is the exit code that the command line ends with."""

    event: Literal["error"] = "error"
    error: str
    exit: int
    reasons: list[str]
