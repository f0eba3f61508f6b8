"""Saying the steps of a move instead of doing them."""

from __future__ import annotations

from strangler.cutover.steps import ORDER, Move, Step


def sentences(move: Move, routes: int, estimate_ms: float | None) -> list[str]:
    """What would happen, in order, and how long writes would wait: ``estimate_ms``, of measured lag; None without."""
    waits = "not known yet: no lag was measured" if estimate_ms is None else f"about {estimate_ms:.0f} ms"
    lines = [f"{move.name_of(step)}: {_say(step, move, routes)}" for step in ORDER]
    return [*lines, f"writes of {move.capability} would wait {waits}, at most {move.budget_ms:,} ms"]


def _say(step: Step, move: Move, routes: int) -> str:
    old, owner = move.old, move.owner
    match step:
        case Step.PREFLIGHT:
            return "check fence triggers, the way back, both streams; reserve ids; nobody waits yet"
        case Step.HOLD:
            return f"{routes} write {'route waits' if routes == 1 else 'routes wait'} at every proxy"
        case Step.DRAIN:
            return f"wait until the last request on {old} is answered"
        case Step.FENCE:
            return f"{old}'s database refuses every write of the capability's tables; take the fence"
        case Step.CAUGHT_UP:
            return f"wait until {owner} has applied the fence"
        case Step.DELTA_CHECK:
            return "compare what changed lately"
        case Step.JOURNAL:
            return "write it down; a failure before this puts all back, one after it is completed"
        case Step.OWNERSHIP:
            return f"{owner}'s database takes writes, with a greater fencing token"
        case Step.WAY_BACK:
            return f"see a marker travel from {owner} to {old}"
        case Step.RELEASE:
            return f"what waits, and all that comes, goes to {owner}"
    raise AssertionError(step)
