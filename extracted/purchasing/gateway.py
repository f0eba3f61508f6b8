"""The payment gateway, as this service speaks to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import httpx


class GatewayUnreachable(Exception):
    """No answer, or none that means anything: whether money moved is not known."""


@dataclass(frozen=True)
class Charge:
    """What the gateway says about a charge. ``id`` is None for one that never came to be."""

    id: str | None
    captured: bool
    reason: str | None = None


class Gateway:
    """A pool of connections to one gateway; shared by threads. All calls block and raise GatewayUnreachable."""

    def __init__(self, url: str, timeout_seconds: float) -> None:
        limits = httpx.Limits(max_keepalive_connections=16, keepalive_expiry=1.5)
        self._http = httpx.Client(base_url=url, timeout=timeout_seconds, limits=limits, trust_env=False)

    def charge(self, key: str, cents: int, source: str) -> Charge:
        """Takes money at most once per ``key``."""
        return _charge(self._post("/charges", key, {"amount_cents": cents, "source": source}))

    def void(self, key: str) -> Charge | None:
        """Makes sure that ``key`` is not charged from now on; the charge if it was already."""
        answer = self._post("/charges/void", key, {})
        return _charge(answer["charge"]) if answer["charge"] else None

    def refund(self, charge_id: str, key: str, cents: int) -> str:
        """Gives money back at most once per ``key``; the refund's id."""
        return str(self._post(f"/charges/{charge_id}/refunds", key, {"amount_cents": cents})["id"])

    def close(self) -> None:
        self._http.close()

    def _post(self, path: str, key: str, body: dict[str, Any]) -> dict[str, Any]:
        try:
            response = self._http.post(path, json=body, headers={"Idempotency-Key": key})
            if response.status_code not in (200, 201, 402):
                raise GatewayUnreachable(f"the gateway said {response.status_code}: {response.text[:200]}")
            answer = response.json()
        except (httpx.HTTPError, ValueError) as error:
            raise GatewayUnreachable(str(error) or type(error).__name__) from error
        if not isinstance(answer, dict):
            raise GatewayUnreachable("the gateway did not answer with an object")
        return answer


def _charge(answer: dict[str, Any]) -> Charge:
    captured = answer.get("status") == "captured"
    return Charge(str(answer["id"]), captured, None if captured else str(answer.get("reason") or "declined"))
