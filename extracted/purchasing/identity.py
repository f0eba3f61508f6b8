"""UUIDs beside the shared ids: name-based (RFC 9562 version 3), so that anyone can compute and check them."""

from __future__ import annotations

from uuid import UUID, uuid3

#: The shop's purchasing; the mapping's SQL holds the same bytes.
NAMESPACE = UUID("2f9c41d8-6b0e-4f5d-8a37-90c4d1e6b7a2")


def identify(kind: str, key: int) -> str:
    """``kind`` is ``order``, ``return`` or ``bag``."""
    return str(uuid3(NAMESPACE, f"{kind}/{key}"))
