"""``python -m extracted.purchasing.jobs.worker``: runs the recurring jobs. Stops on SIGTERM."""

from __future__ import annotations

import logging
import signal
import sys
import threading
import time
from collections.abc import Callable

from sqlalchemy.exc import SQLAlchemyError

from extracted.purchasing.database import Busy, NotOwner
from extracted.purchasing.gateway import GatewayUnreachable
from extracted.purchasing.jobs.pending_orders import finish_refunds, settle_pending
from extracted.purchasing.jobs.reservations import expire_reservations
from extracted.purchasing.service import Service
from extracted.purchasing.settings import Settings, SettingsError

LOG = logging.getLogger("extracted.purchasing.jobs")

Job = Callable[[Service], int]


class Recurring:
    """One job and when it is due. What goes wrong is said once, until it goes right again."""

    def __init__(self, job: Job, every_seconds: float) -> None:
        self._job, self._every = job, every_seconds
        self._due = 0.0
        self._said = ""

    def tick(self, service: Service, now: float) -> None:
        """Runs the job if it is due. Raises nothing that a database or a gateway may do to it."""
        if now < self._due:
            return
        self._due = now + self._every
        try:
            done = self._job(service)
        except NotOwner as error:
            self._say(logging.INFO, f"left to the side that owns the tables ({error})")
        except (GatewayUnreachable, Busy, SQLAlchemyError) as error:
            self._say(logging.WARNING, f"did not come through, is tried again: {error}")
        else:
            if done:
                LOG.info("%s: %d", self._job.__name__, done)
                self._said = ""

    def _say(self, level: int, what: str) -> None:
        kind = what.partition("(")[0]
        if kind != self._said:
            LOG.log(level, "%s: %s", self._job.__name__, what)
            self._said = kind


def recurring(settings: Settings) -> list[Recurring]:
    often = settings.jobs_interval_seconds
    return [
        Recurring(expire_reservations, often),
        Recurring(settle_pending, often * 5),
        Recurring(finish_refunds, often * 5),
    ]


def main() -> int:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    try:
        service = Service.open(Settings.from_environment())
    except SettingsError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    stop = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: stop.set())
    jobs = recurring(service.settings)
    LOG.info("looking for work")
    while not stop.wait(0.2):
        for job in jobs:
            job.tick(service, time.monotonic())
    service.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
