"""The client that a case is handed: one side's address, and a memory of every exchange."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import urlencode

import httpx

Parameters = Mapping[str, object] | Sequence[tuple[str, object]]


class Unreachable(Exception):
    """A side does not answer at all; the text names its address."""


@dataclass(frozen=True)
class Request:
    """What is sent. ``target`` is path and query as they go over the wire."""

    method: str
    target: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes | None = None

    def __str__(self) -> str:
        return f"{self.method} {self.target}"


@dataclass(frozen=True)
class Answer:
    """What came back. Header names are lower case."""

    request: Request
    status: int
    headers: Mapping[str, str]
    body: bytes

    @cached_property
    def json(self) -> Any:
        """Raises ValueError if the body is not JSON."""
        return json.loads(self.body)

    def __str__(self) -> str:
        start = self.body[:200].decode("utf-8", "replace")
        return f"{self.request} -> {self.status} {start}{'...' if len(self.body) > 200 else ''}"


@dataclass
class Visitor:
    """Talks to one side. ``exchanges`` holds every answer so far, in order. Blocks; raises Unreachable.

    A capability is not the whole application: with ``elsewhere``, what ``routes`` (``POST /api/orders/{id}``) do not
    name is asked of that client, as a proxy would."""

    client: httpx.Client
    exchanges: list[Answer] = field(default_factory=list)
    elsewhere: httpx.Client | None = None
    routes: tuple[str, ...] = ()

    def get(self, path: str, parameters: Parameters = (), **more: object) -> Answer:
        """GET ``path`` with ``parameters`` and ``more`` as query. A query in ``path`` itself goes out as it is."""
        pairs = [*(parameters.items() if isinstance(parameters, Mapping) else parameters), *more.items()]
        query = urlencode([(name, str(value)) for name, value in pairs])
        return self.send(Request("GET", f"{path}?{query}" if query else path))

    def do(self, method: str, path: str, body: object = None, headers: Mapping[str, str] | None = None) -> Answer:
        """``body``: what becomes JSON; none when it is None."""
        content = None if body is None else json.dumps(body).encode()
        kind = {} if content is None else {"content-type": "application/json"}
        return self.send(Request(method, path, tuple({**kind, **(headers or {})}.items()), content))

    def send(self, request: Request) -> Answer:
        client = self._client(request)
        try:
            response = client.request(
                request.method, request.target, headers=list(request.headers), content=request.body
            )
        except httpx.TransportError as problem:
            raise Unreachable(f"{client.base_url} does not answer: {problem or type(problem).__name__}") from problem
        answer = Answer(request, response.status_code, dict(response.headers), response.content)
        self.exchanges.append(answer)
        return answer

    def _client(self, request: Request) -> httpx.Client:
        if self.elsewhere is None or any(serves(route, request) for route in self.routes):
            return self.client
        return self.elsewhere


def serves(route: str, request: Request) -> bool:
    """Whether the route (method and path template) is the request's."""
    method, _, template = route.partition(" ")
    pattern = re.sub(r"\\\{[^}]*\\\}", "[^/]+", re.escape(template))
    return method == request.method and re.fullmatch(pattern, request.target.partition("?")[0]) is not None


def open_client(url: str, timeout_seconds: float = 15.0) -> httpx.Client:
    """A client of one side. Environment proxies are not used: the address given is the one that is asked."""
    return httpx.Client(base_url=url.rstrip("/"), timeout=timeout_seconds, trust_env=False, follow_redirects=False)
