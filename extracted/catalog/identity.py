"""UUIDs beside the legacy ids: name-based (RFC 9562 version 3), so that anyone can compute and check them."""

from __future__ import annotations

from uuid import UUID, uuid3

#: The shop's catalog; the mapping's SQL holds the same bytes.
NAMESPACE = UUID("7d3b6f0e-52c1-4b7a-9d43-1c0f6a2e8b55")


def identify(kind: str, legacy_id: int) -> UUID:
    """``kind`` is ``brand``, ``category`` or ``item``."""
    return uuid3(NAMESPACE, f"{kind}/{legacy_id}")
