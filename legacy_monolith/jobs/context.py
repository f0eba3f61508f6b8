"""The shop that jobs work on. RQ calls plain functions by name, so the worker leaves it here once, at its start."""

from __future__ import annotations

from legacy_monolith.shop import Shop

_current: list[Shop] = []


def enter(shop: Shop) -> None:
    """Called by the worker before it takes its first job."""
    _current[:] = [shop]


def current_shop() -> Shop:
    """Raises LookupError outside a worker."""
    if not _current:
        raise LookupError("no shop: jobs run in `python -m legacy_monolith.jobs.worker`")
    return _current[0]
