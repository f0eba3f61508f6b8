"""Talking to the control plane."""

from __future__ import annotations

import getpass
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

import httpx
import orjson

from strangler.cli.failure import Answered, wrong
from strangler.config import Config, Ports, Resolved, load, resolve
from strangler.exits import Exit

# A flip is over in milliseconds; what waits for databases that are away answers by itself within this.
_TIMEOUT = httpx.Timeout(30, connect=3)
_HOW = ["start it: strangler up", "is it there: strangler ps, strangler logs control"]


class Client:
    """One command's connection. Raises Answered for everything the control plane refuses, and when it is away."""

    @cached_property
    def config(self) -> Config:
        return load()

    @cached_property
    def ports(self) -> Ports:
        return Ports.read(self.config.run)

    @property
    def resolved(self) -> Resolved:
        return resolve(self.config, self.ports)

    @cached_property
    def _http(self) -> httpx.Client:
        control = self.ports.control
        token = self.config.state / "token"
        if control is None or not token.exists():
            raise wrong("the control plane was never started here", Exit.FAILED, _HOW)
        try:
            text = token.read_text().strip()
        except PermissionError as error:
            raise wrong(f"{token} can't be read: only its owner may ask the control plane") from error
        return httpx.Client(
            base_url=f"http://127.0.0.1:{control.api}/v1",
            headers={"Authorization": f"Bearer {text}"},
            timeout=_TIMEOUT,
            verify=False,  # plain http on loopback: reading the machine's certificates would cost 30 ms a command
            trust_env=False,  # a proxy of the environment has no business on loopback
        )

    def get(self, path: str, **query: Any) -> dict[str, Any]:
        return self._answer("GET", path, params={k: v for k, v in query.items() if v is not None})

    def post(self, path: str, body: Mapping[str, Any], timeout_seconds: float | None = None) -> dict[str, Any]:
        """``body`` without actor: it is who is logged in."""
        more = {} if timeout_seconds is None else {"timeout": httpx.Timeout(timeout_seconds, connect=3)}
        return self._answer("POST", path, json={"actor": actor(), **body}, **more)

    def bring(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """A post that changes nothing and so has no actor."""
        return self._answer("POST", path, json=dict(body))

    def stream(self, path: str, body: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        """The events of a long action. Raises Answered for the error that ends one."""
        try:
            with self._http.stream(
                "POST", path, json={"actor": actor(), **body}, timeout=httpx.Timeout(None, connect=3)
            ) as response:
                if response.is_error:
                    response.read()
                    raise _said(response)
                for line in response.iter_lines():
                    event: dict[str, Any] = orjson.loads(line)
                    if event["event"] == "error":
                        raise Answered(event)
                    yield event
        except httpx.ConnectError as error:
            raise self._away() from error
        except httpx.TransportError as error:
            lines = ["what it was doing is settled when it is back: strangler status", *_HOW]
            raise wrong(f"the control plane went away meanwhile ({error})", Exit.FAILED, lines) from error

    def _answer(self, method: str, path: str, **options: Any) -> dict[str, Any]:
        try:
            response = self._http.request(method, path, **options)
        except httpx.ConnectError as error:
            raise self._away() from error
        except httpx.TransportError as error:
            raise wrong(f"the control plane did not answer ({error or type(error).__name__})", reasons=_HOW) from error
        if response.is_error:
            raise _said(response)
        found: dict[str, Any] = orjson.loads(response.content)
        return found

    def _away(self) -> Answered:
        port = self.ports.control.api if self.ports.control else 0
        lines = ["the proxies go on with what they have applied last", *_HOW]
        return wrong(f"the control plane doesn't answer on 127.0.0.1:{port}", Exit.FAILED, lines)


def _said(response: httpx.Response) -> Answered:
    try:
        answer = orjson.loads(response.content)
    except orjson.JSONDecodeError:
        answer = None
    if not isinstance(answer, dict) or "exit" not in answer:
        return wrong(f"the control plane answered {response.status_code}: see strangler logs control")
    return Answered(answer)


def actor() -> str:
    """Who is logged in, for the audit."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"
