"""Kafka Connect's REST interface, as far as one stream needs it. Blocking; nothing is remembered between calls."""

from __future__ import annotations

import ssl
import time
from dataclasses import dataclass
from typing import Any

import httpx

from cdc.source.failure import failure
from cdc.source.kafka_settings import KafkaHosting
from cdc.source.port import SourceError

ASK_SECONDS = 15.0
SETTLE_SECONDS = 60.0
_PAUSE_SECONDS = 0.2


@dataclass(frozen=True)
class Standing:
    """How a connector is: the words are Connect's (RUNNING, PAUSED, STOPPED, FAILED, UNASSIGNED, RESTARTING)."""

    connector: str
    tasks: tuple[str, ...]
    trace: str = ""

    @property
    def failed(self) -> bool:
        return "FAILED" in (self.connector, *self.tasks)

    @property
    def running(self) -> bool:
        return self.connector == "RUNNING" and bool(self.tasks) and set(self.tasks) == {"RUNNING"}

    def error(self) -> SourceError:
        """Why it failed, from the chain of causes in the task's trace."""
        return failure(causes(self.trace))


class Connect:
    """One Connect cluster. Every method raises SourceError; ``away`` when it can't be reached."""

    def __init__(self, hosting: KafkaHosting) -> None:
        self._url = hosting.connect.rstrip("/")
        auth = (hosting.connect_user, hosting.connect_password or "") if hosting.connect_user else None
        verify: ssl.SSLContext | bool = True
        if hosting.connect_ca_file:
            verify = ssl.create_default_context(cafile=str(hosting.connect_ca_file))
        # trust_env off: a proxy for the outside world is not to be asked about a neighbour.
        self._client = httpx.Client(base_url=self._url, auth=auth, verify=verify, timeout=ASK_SECONDS, trust_env=False)

    def close(self) -> None:
        self._client.close()

    def settings(self, name: str) -> dict[str, str] | None:
        """Of a connector as they are now; None when there is no such connector."""
        found = self._ask("GET", f"/connectors/{name}/config", missing=True)
        return None if found is None else {str(key): str(value) for key, value in found.items()}

    def create_stopped(self, name: str, settings: dict[str, str]) -> None:
        """It has no task until ``resume``."""
        self._ask("POST", "/connectors", {"name": name, "config": settings, "initial_state": "STOPPED"})

    def write(self, name: str, settings: dict[str, str]) -> None:
        """Create, or change."""
        self._ask("PUT", f"/connectors/{name}/config", settings)

    def standing(self, name: str) -> Standing | None:
        found = self._ask("GET", f"/connectors/{name}/status", missing=True)
        if found is None:
            return None
        parts = [found["connector"], *found["tasks"]]
        trace = next((part["trace"] for part in parts if part.get("trace")), "")
        return Standing(found["connector"]["state"], tuple(task["state"] for task in found["tasks"]), trace)

    def resume(self, name: str) -> None:
        self._ask("PUT", f"/connectors/{name}/resume")

    def restart_failed(self, name: str) -> None:
        self._ask("POST", f"/connectors/{name}/restart?includeTasks=true&onlyFailed=true")

    def stop(self, name: str) -> None:
        """And wait until it has no task any more."""
        self._ask("PUT", f"/connectors/{name}/stop")
        end = time.monotonic() + SETTLE_SECONDS
        while (now := self.standing(name)) is not None and (now.connector != "STOPPED" or now.tasks):
            if time.monotonic() > end:
                raise SourceError(
                    f"the connector {name} did not stop within {SETTLE_SECONDS:.0f} s", way_out="see Connect's log"
                )
            time.sleep(_PAUSE_SECONDS)

    def forget_offsets(self, name: str) -> None:
        """Only for a stopped one."""
        self._ask("DELETE", f"/connectors/{name}/offsets")

    def delete(self, name: str) -> None:
        self._ask("DELETE", f"/connectors/{name}", missing=True)

    def _ask(self, method: str, path: str, content: Any = None, *, missing: bool = False) -> Any:
        """The answer's JSON. Waits where Connect is settling. ``missing``: None when there is no such thing."""
        end = time.monotonic() + SETTLE_SECONDS
        while True:
            try:
                response = self._client.request(method, path, json=content)
            except httpx.HTTPError as error:
                raise SourceError(
                    f"Kafka Connect at {self._url} can't be reached: {error or type(error).__name__}", away=True
                ) from error
            if response.is_success:
                return response.json() if response.content else None
            if missing and response.status_code == 404:
                return None
            # 409: the workers are sharing out their tasks, or it is not stopped yet. 404 with no JSON: still starting.
            settling = response.status_code == 409 or (response.status_code == 404 and not _is_json(response))
            if not settling or time.monotonic() > end:
                raise self._refusal(response, f"{method} {path.split('?')[0]}")
            time.sleep(_PAUSE_SECONDS)

    def _refusal(self, response: httpx.Response, asked: str) -> SourceError:
        if response.status_code in (401, 403):
            return SourceError(
                f"Kafka Connect at {self._url} does not let this name and password in (HTTP {response.status_code})",
                way_out="set connect_user and connect_password under [streams.kafka]",
            )
        said = response.json().get("message", "") if _is_json(response) else response.text
        words = " ".join(said.split())[:1000]
        return SourceError(
            f"Kafka Connect at {self._url} refused {asked} (HTTP {response.status_code}): {words}",
            away=response.status_code in (502, 503, 504) or (response.status_code == 500 and "timed out" in said),
            way_out=_way_out(said),
        )


def causes(trace: str) -> list[str]:
    """The messages of a Java stack trace, the deepest cause first."""
    found: list[str] = []
    for line in trace.splitlines():
        if line.startswith("Caused by: "):
            found.insert(0, line.removeprefix("Caused by: "))
        elif line and not line.startswith(("\tat ", "\t...", "    at ")):
            found.append(line.strip())
    return found


def _way_out(said: str) -> str:
    if "exactly-once" in said or "exactly.once" in said:
        return (
            "set exactly.once.source.support=enabled on the Connect workers (else events may come twice after a crash,"
            " older ones behind newer)"
        )
    if "Failed to find any class" in said:
        return "put Debezium's connectors, of the version that docs/streams.md names, under plugin.path of Connect"
    return "see Connect's log"


def _is_json(response: httpx.Response) -> bool:
    return "json" in response.headers.get("content-type", "")
