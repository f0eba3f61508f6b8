"""Asking for background work."""

from __future__ import annotations

import logging
from typing import Any

from redis import Redis
from redis.exceptions import RedisError
from rq import Queue

LOG = logging.getLogger(__name__)

QUEUE_NAME = "shop"


class JobQueue:
    """Best effort: when Redis is away the request goes on and the worker's sweep finds the work in the tables."""

    def __init__(self, redis_url: str) -> None:
        self.redis = Redis.from_url(redis_url, socket_connect_timeout=0.5, socket_timeout=5)

    def send_mail(self, mail_id: int) -> None:
        self._ask("legacy_monolith.jobs.mailer.send_mail", mail_id)

    def close(self) -> None:
        self.redis.close()

    def _ask(self, function: str, *arguments: Any) -> None:
        try:
            Queue(QUEUE_NAME, connection=self.redis).enqueue(function, *arguments, result_ttl=0, failure_ttl=3600)
        except RedisError as error:
            LOG.warning("redis is away, %s%r waits for the sweep: %s", function, arguments, error)
