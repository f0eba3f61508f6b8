"""Continuous mode: rows that changed lately are compared every few seconds, and all rows slowly, round after round."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import structlog

from cdc.state import StreamState
from cdc.verify import Progress, VerifyResult
from strangler.config import Config
from strangler.config.model import VerifySection
from strangler.control.evidence_store import EvidenceStore
from strangler.control.streams import Streams
from strangler.control.verify_runs import RunKind, VerifyRuns
from strangler.evidence import of_verify
from strangler.exits import Failed

log = structlog.get_logger()

BETWEEN_ROUNDS_SECONDS = 60.0
AGAIN_SECONDS = 10.0  # after something went wrong, and while there is no stream
_KEYS = 5  # that are named in the status


@dataclass
class Seen:
    """What one capability's continuous mode does and has found. ``troubles`` say why hot rows or rounds stand still."""

    troubles: dict[str, str] = field(default_factory=dict)
    hot_at: datetime | None = None
    hot_rows: int = 0  # compared since the control plane started
    hot_different: int = 0  # when last looked at
    hot_in_flight: int = 0
    hot_keys: list[str] = field(default_factory=list)
    round_began_at: datetime | None = None
    round_progress: dict[str, Progress] = field(default_factory=dict)
    last_at: datetime | None = None
    last_equal: bool | None = None
    last_summary: str | None = None

    def to_json(self) -> dict[str, Any]:
        progress, troubles = self.round_progress.values(), list(dict.fromkeys(self.troubles.values()))
        return {
            "state": "waiting" if troubles else "running",
            "why": "; ".join(troubles) or None,
            "hot": {
                "at": self.hot_at,
                "rows": self.hot_rows,
                "different": self.hot_different,
                "in_flight": self.hot_in_flight,
                "keys": self.hot_keys,
            },
            "round": {
                "began_at": self.round_began_at,
                "rows": sum(p.rows for p in progress),
                "waiting": next((p.waiting for p in progress if p.waiting), None),
            },
            "last": None
            if self.last_at is None
            else {"at": self.last_at, "equal": self.last_equal, "summary": self.last_summary},
        }


class Continuous:
    """``run`` until cancelled. It never repairs: it keeps a complete round as evidence, and says what it finds."""

    def __init__(
        self,
        config: Config,
        streams: Streams,
        evidence: EvidenceStore,
        runs: VerifyRuns,
        now: Callable[[], datetime],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._config, self._streams, self._evidence, self._runs = config, streams, evidence, runs
        self._now, self._sleep = now, sleep
        self._seen = {
            name: Seen({"rounds": "it has not begun"})
            for name, capability in config.capabilities.items()
            if capability.verify.continuous and capability.tables
        }

    def seen(self, capability: str) -> dict[str, Any] | None:
        """None where it is off."""
        seen = self._seen.get(capability)
        return None if seen is None else seen.to_json()

    async def run(self) -> None:
        loops = [loop for name in self._seen for loop in (self._rounds(name), self._hot(name))]
        await asyncio.gather(*loops)

    async def _rounds(self, name: str) -> None:
        while True:
            rest = BETWEEN_ROUNDS_SECONDS if await self._tried(name, "rounds", self.round) else AGAIN_SECONDS
            await self._sleep(rest)

    async def _hot(self, name: str) -> None:
        while True:
            await self._sleep(self._settings(name).hot_seconds)
            await self._tried(name, "hot rows", self.hot)

    async def _tried(self, name: str, what: str, work: Callable[[str], Awaitable[None]]) -> bool:
        """Whether it could be done; why not is in what is seen."""
        troubles = self._seen[name].troubles
        try:
            if (state := (await self._streams.status(name)).state) is not StreamState.STREAMING:
                troubles[what] = f"its stream is {state}"
                return False
            if what == "rounds":  # a round takes long
                troubles.pop(what, None)
            await work(name)
        except Failed as error:
            troubles[what] = error.message
            return False
        except Exception as error:
            troubles[what] = f"it broke: {error!r}"
            log.exception("continuous.broke", capability=name)
            return False
        troubles.pop(what, None)
        return True

    async def round(self, name: str) -> None:
        """Every row once; kept as evidence. Raises Failed."""
        seen, tables = self._seen[name], list(self._config.capabilities[name].tables)
        run = await asyncio.to_thread(self._runs.begin, name, RunKind.ROUND, tables, self._now())
        seen.round_began_at, seen.round_progress = run.began_at, {}

        def progress(p: Progress) -> None:
            seen.round_progress[p.table] = p

        result = await self._streams.verify(
            name,
            tables=None,
            repair=False,
            progress=progress,
            limits=self._settings(name).continuous_limits,
            marks=run,
        )
        found = of_verify(name, self._now(), result.to_json(), began_at=run.began_at)
        await asyncio.to_thread(self._evidence.add, found)
        await asyncio.to_thread(self._runs.end, name, RunKind.ROUND)
        seen.last_at, seen.last_equal, seen.last_summary = found.at, found.ok, found.summary
        if not found.ok:
            log.warning("continuous.differs", capability=name, found=found.summary, keys=named(result))

    async def hot(self, name: str) -> None:
        """The rows that the stream changed last. A difference is kept as evidence once. Raises Failed."""
        seen = self._seen[name]
        result = await self._streams.verify_changed(name)
        keys = named(result)
        seen.hot_at = self._now()
        seen.hot_rows += result.rows
        seen.hot_in_flight += result.in_flight
        seen.hot_different = sum(table.differences for table in result.tables)
        news, seen.hot_keys = keys != seen.hot_keys, keys
        if keys and news:
            log.warning("continuous.hot_rows_differ", capability=name, keys=keys)
            found = of_verify(name, self._now(), result.to_json(), of="rows changed lately")
            await asyncio.to_thread(self._evidence.add, found)

    def _settings(self, name: str) -> VerifySection:
        return self._config.capabilities[name].verify


def named(result: VerifyResult) -> list[str]:
    """The first few keys that differ: ``items legacy_id=5``."""
    found = [
        f"{table.table} {', '.join(f'{column}={value}' for column, value in key.items())}"
        for table in result.tables
        for key in (*table.missing, *table.extra, *(d.key for d in table.differing))
    ]
    return found[:_KEYS]
