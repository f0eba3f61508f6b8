"""Clients that pay through the proxy, and a ledger of what they were told."""

from __future__ import annotations

import http.client
import json
import threading
import time
import uuid
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field

from cdc.database import Database
from cdc.session import open_session


@dataclass
class Payers:
    """``acknowledged``: cents by key; ``failed``: what else was answered; ``longest_ms``: the slowest answer."""

    port: int
    acknowledged: dict[str, int] = field(default_factory=dict)
    failed: list[str] = field(default_factory=list)
    by_side: Counter[str] = field(default_factory=Counter)
    longest_ms: float = 0.0
    pause_s: float = 0.01
    _ended: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)

    def start(self, number: int) -> None:
        self._threads = [threading.Thread(target=self._pay, args=(n,), daemon=True) for n in range(number)]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join(60)

    def _pay(self, number: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        for turn in range(100_000):
            if self._ended.wait(self.pause_s):
                break
            key, cents = f"{number}-{turn}-{uuid.uuid4().hex[:8]}", 100 + turn
            started = time.perf_counter()
            try:
                connection.request("POST", "/api/payments", json.dumps({"key": key, "cents": cents}))
                answer = connection.getresponse()
                body = answer.read()
            except (OSError, http.client.HTTPException) as error:
                self.failed.append(f"{key}: {error!r}")
                connection.close()
                continue
            self.longest_ms = max(self.longest_ms, (time.perf_counter() - started) * 1000)
            if answer.status != 200:
                self.failed.append(f"{key}: {answer.status} {body.decode()}")
                continue
            self.acknowledged[key] = cents
            self.by_side[json.loads(body)["side"]] += 1
        connection.close()


@dataclass(frozen=True)
class Found:
    """What became of the payments that were acknowledged, by key."""

    lost: list[str]
    doubled: list[str]
    wrong: list[str]


def look_up(database: Database, query: str, acknowledged: dict[str, int]) -> Found:
    """``query`` gives key and cents of every payment."""
    with closing(open_session(database)) as session, session.cursor() as cursor:
        cursor.execute(query)
        rows = [(str(key), int(cents)) for key, cents in cursor.fetchall()]
    times, cents_of = Counter(key for key, _ in rows), dict(rows)
    return Found(
        lost=[key for key in acknowledged if not times[key]],
        doubled=[key for key, count in times.items() if count > 1],
        wrong=[key for key, cents in acknowledged.items() if key in cents_of and cents_of[key] != cents],
    )
