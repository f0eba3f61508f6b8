"""Phases: where a capability stands, and the moves between them."""

from __future__ import annotations

from enum import StrEnum


class Phase(StrEnum):
    """In order; each includes what the ones before it brought."""

    LEGACY = "legacy"  # the monolith does it all; nothing is copied
    SYNCED = "synced"  # the new side's rows follow the legacy ones
    SHADOW = "shadow"  # the new side answers copies of live requests, nobody sees its answers
    CANARY = "canary"  # some users' reads are answered by new
    READS = "reads"  # all reads are answered by new
    WRITES = "writes"  # new owns the data; legacy follows
    RETIRED = "retired"  # nothing goes back to legacy any more


# One step on, from each phase. Shadow and retired are words of the design; this version goes around shadow and ends at
# writes, and says so when asked for them (``NOT_BUILT``).
TRANSITIONS: dict[Phase, Phase] = {
    Phase.LEGACY: Phase.SYNCED,
    Phase.SYNCED: Phase.CANARY,
    Phase.CANARY: Phase.READS,
    Phase.READS: Phase.WRITES,
}

NOT_BUILT = frozenset({Phase.SHADOW, Phase.RETIRED})

# Phases whose entry may be guarded by a gate in strangler.toml.
GATED: tuple[Phase, ...] = (Phase.CANARY, Phase.READS, Phase.WRITES)

# Phases in which traffic may go to new.
SERVING = frozenset({Phase.CANARY, Phase.READS, Phase.WRITES})

# Phases in which the change stream is wanted.
STREAMING = frozenset({Phase.SYNCED, Phase.CANARY, Phase.READS, Phase.WRITES})

ORDER: tuple[Phase, ...] = tuple(Phase)


def after(phase: Phase) -> Phase | None:
    """The next phase on, or None where this version ends."""
    return TRANSITIONS.get(phase)


def before(phase: Phase) -> tuple[Phase, ...]:
    """The phases a rollback from ``phase`` may go to, nearest first."""
    return tuple(p for p in reversed(ORDER[: ORDER.index(phase)]) if p not in NOT_BUILT)


def refusal(current: Phase, target: Phase) -> str | None:
    """Why ``advance`` can't go from ``current`` to ``target``, whatever the evidence; None when it can."""
    if target in NOT_BUILT:
        return f"{target} is not built yet: capabilities go around shadow and as far as {Phase.WRITES}"
    if target == current:
        return f"it is in {target} already"
    if ORDER.index(target) < ORDER.index(current):
        return f"{target} lies behind {current}: strangler rollback goes back"
    if TRANSITIONS.get(current) != target:
        return f"the next phase after {current} is {TRANSITIONS[current]}: one step at a time"
    return None


def default_back(current: Phase) -> Phase | None:
    """Where a rollback goes when nobody says: all traffic back, the stream stays."""
    match current:
        case Phase.LEGACY:
            return None
        case Phase.SYNCED:
            return Phase.LEGACY
    return Phase.SYNCED
