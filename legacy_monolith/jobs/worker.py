"""``python -m legacy_monolith.jobs.worker``: takes jobs and asks for the recurring ones. Stops on SIGTERM."""

from __future__ import annotations

import logging
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

from redis import Redis
from redis.exceptions import RedisError
from rq import Queue, SimpleWorker

from legacy_monolith.jobs.context import enter
from legacy_monolith.jobs.mailer import send_queued
from legacy_monolith.jobs.markdown import mark_down
from legacy_monolith.jobs.pending_orders import settle_pending
from legacy_monolith.jobs.queue import QUEUE_NAME
from legacy_monolith.jobs.reservations import expire_reservations
from legacy_monolith.settings import Settings, SettingsError
from legacy_monolith.shop import Shop

LOG = logging.getLogger("legacy_monolith.jobs")


class Clock(threading.Thread):
    """Puts each recurring job into the queue when it is due, never twice: a job keeps its id while it waits."""

    def __init__(self, connection: Redis, every: dict[Callable[[], Any], float]) -> None:
        super().__init__(name="clock", daemon=True)
        self._queue = Queue(QUEUE_NAME, connection=connection)
        self._every = every
        # the first time after one interval: a worker that is restarted all the time does not become a storm of jobs
        self._due = {function: time.monotonic() + seconds for function, seconds in every.items()}

    def run(self) -> None:
        while True:
            try:
                self.tick(time.monotonic())
            except RedisError as error:
                LOG.warning("redis is away: %s", error)
            time.sleep(0.2)

    def tick(self, now: float) -> None:
        for function, seconds in self._every.items():
            if now >= self._due[function]:
                self._due[function] = now + seconds
                self._ask(function, seconds)

    def _ask(self, function: Callable[[], Any], seconds: float) -> None:
        waiting = f"recurring-{function.__name__}"
        # a worker that has been away for an hour finds one job of each kind, not an hour's worth
        if waiting not in self._queue.job_ids:
            self._queue.enqueue(function, job_id=waiting, result_ttl=0, failure_ttl=3600, ttl=int(max(seconds, 60)))


def recurring(settings: Settings) -> dict[Callable[[], Any], float]:
    """Each job and its interval in seconds."""
    often = settings.jobs_interval_seconds
    return {
        expire_reservations: often,
        send_queued: often * 5,
        settle_pending: often * 5,
        mark_down: settings.markdown_interval_seconds,
    }


def wait_for_redis(connection: Redis, seconds: float = 60.0) -> None:
    """Raises the last RedisError after ``seconds``."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            connection.ping()
            return
        except RedisError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)


def main() -> int:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    logging.getLogger("rq").setLevel(logging.WARNING)
    try:
        settings = Settings.from_environment()
    except SettingsError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    enter(Shop.open(settings))
    # the worker blocks on Redis for minutes, so its connection has no read time limit
    connection = Redis.from_url(settings.redis_url)
    wait_for_redis(connection)
    Clock(Redis.from_url(settings.redis_url), recurring(settings)).start()
    LOG.info("waiting for jobs")
    worker = SimpleWorker([Queue(QUEUE_NAME, connection=connection)], connection=connection, log_job_description=False)
    worker.work(logging_level="WARNING")
    return 0


if __name__ == "__main__":
    sys.exit(main())
