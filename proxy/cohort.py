"""Signed membership: tokens that make the proxy believe a client's cohort or override."""

from __future__ import annotations

from proxy.routes import Side

COOKIE = "strangler_cohort"
HEADER = "x-strangler-token"


def token(cohort: str | None, key: bytes, ttl_s: int, *, override: Side | None = None) -> str:
    """A signed token for the cookie ``strangler_cohort`` or the header ``x-strangler-token``, good for ``ttl_s``."""
    raise NotImplementedError
