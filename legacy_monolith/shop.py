"""What a process of the shop is made of; made once, at its start."""

from __future__ import annotations

from dataclasses import dataclass

from legacy_monolith.accounts.passwords import Passwords
from legacy_monolith.database import Database
from legacy_monolith.gateway.client import Gateway
from legacy_monolith.jobs.queue import JobQueue
from legacy_monolith.settings import Settings


@dataclass(frozen=True)
class Shop:
    """The composition root's product; views and jobs get it, nothing is global."""

    settings: Settings
    database: Database
    gateway: Gateway
    queue: JobQueue
    passwords: Passwords

    @classmethod
    def open(cls, settings: Settings) -> Shop:
        """Connects to nothing yet: connections are made when they are first needed."""
        return cls(
            settings=settings,
            database=Database(settings.database_url, settings.pool_size),
            gateway=Gateway(settings.gateway_url, settings.gateway_timeout_seconds),
            queue=JobQueue(settings.redis_url),
            passwords=Passwords(settings.argon2_time_cost, settings.argon2_memory_kib),
        )

    def close(self) -> None:
        self.database.close()
        self.gateway.close()
        self.queue.close()
