"""The monolith's public API, asked for what our copies do not have yet: they may be some tens of milliseconds late."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import httpx


class ShopUnreachable(Exception):
    """The monolith does not answer, so whether something exists is not known."""


class Shop:
    """A pool of connections to the monolith itself (not to the proxy); shared by threads.

    ``headers`` are those of a visitor's request that say who asks (``asker``). All calls block and raise
    ShopUnreachable."""

    def __init__(self, url: str, timeout_seconds: float) -> None:
        limits = httpx.Limits(max_keepalive_connections=8, keepalive_expiry=1.5)
        self._http = httpx.Client(base_url=url, timeout=timeout_seconds, limits=limits, trust_env=False)

    def account(self, headers: dict[str, str]) -> dict[str, Any] | None:
        """Whose log-in it is; None if it is nobody's."""
        return self._get("/api/me", headers)

    def has_item(self, item_id: int) -> bool:
        """Whether shoppers can see it."""
        return self._get(f"/api/items/{item_id}", {}) is not None

    def has_code(self, code: str) -> bool:
        """Whether there is a promotion of that code, and it is active."""
        found = self._get(f"/api/promotions/{quote(code, safe='')}", {})
        return found is not None and found["active"] is True

    def address_ids(self, headers: dict[str, str]) -> set[int]:
        found = self._get("/api/addresses", headers)
        return set() if found is None else {address["id"] for address in found["addresses"]}

    def add_item_to_bag(self, bag_id: int, body: dict[str, Any], headers: dict[str, str]) -> tuple[int, bytes]:
        """(status, body) of the monolith's answer."""
        response = self._send("POST", f"/api/bags/{bag_id}/items", headers, body)
        return response.status_code, response.content

    def close(self) -> None:
        self._http.close()

    def _get(self, path: str, headers: dict[str, str]) -> dict[str, Any] | None:
        response = self._send("GET", path, headers)
        if response.status_code in (400, 401, 403, 404):
            return None
        if response.status_code != 200:
            raise ShopUnreachable(f"GET {path}: the monolith said {response.status_code}")
        try:
            found = response.json()
        except ValueError as error:
            raise ShopUnreachable(f"GET {path}: the monolith did not answer with JSON") from error
        return found if isinstance(found, dict) else None

    def _send(self, method: str, path: str, headers: dict[str, str], body: Any = None) -> httpx.Response:
        try:
            return self._http.request(method, path, headers=headers, json=body)
        except httpx.HTTPError as error:
            raise ShopUnreachable(f"{method} {path}: {str(error) or type(error).__name__}") from error
