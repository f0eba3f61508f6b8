"""The engine, and transactions that are tried again when InnoDB picks them as a deadlock's victim."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable
from typing import TypeVar

from sqlalchemy import Engine, create_engine
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session, sessionmaker

T = TypeVar("T")

DEADLOCK = 1213
LOCK_WAIT_TIMEOUT = 1205
#: ER_SIGNAL_EXCEPTION, SQLSTATE 45000: a trigger said no.
SIGNALLED = 1644
#: Lost or refused connections, server shutting down, read-only while it does.
UNREACHABLE = frozenset({1040, 1053, 1290, 2002, 2003, 2006, 2013, 2014, 2055})

LOCK_WAIT_SECONDS = 5


class Busy(Exception):
    """Every try ended in a deadlock or a lock wait timeout; nothing was changed."""


class NotOwner(Exception):
    """The database refused a write (SQLSTATE 45000): the other side owns the table now. Nothing was changed."""


class Database:
    """One engine per process. READ COMMITTED keeps gap locks, and so deadlocks, few."""

    def __init__(self, url: str, pool_size: int) -> None:
        on_this_machine = make_url(url).host in ("127.0.0.1", "localhost", "::1")
        self.engine: Engine = create_engine(
            url,
            isolation_level="READ COMMITTED",
            pool_size=pool_size,
            max_overflow=pool_size,
            pool_timeout=5,
            pool_pre_ping=True,
            # every session ends its transaction itself, so the pool need not roll back once more
            pool_reset_on_return=None,
            pool_recycle=1800,
            # MariaDB keeps JSON as it was written: the way MySQL writes it, so that both sides compare equal
            json_serializer=lambda value: json.dumps(value, ensure_ascii=False),
            connect_args={
                "charset": "utf8mb4",
                "connect_timeout": 5,
                "read_timeout": 30,
                "ssl_disabled": on_this_machine,
                "init_command": f"SET SESSION innodb_lock_wait_timeout={LOCK_WAIT_SECONDS}",
            },
        )
        self._sessions = sessionmaker(self.engine, expire_on_commit=False)

    def run(self, work: Callable[[Session], T], attempts: int = 6) -> T:
        """``work`` in one transaction: committed when it returns, rolled back when it raises.

        It is called again, on a new session, after a deadlock or lock wait timeout, so it must have no effect outside
        the session. Raises Busy after ``attempts``, and NotOwner.
        """
        for attempt in range(1, attempts + 1):
            try:
                with self._sessions.begin() as session:
                    return work(session)
            except DBAPIError as error:
                code = error_code(error)
                if code == SIGNALLED:
                    raise NotOwner(str(error.orig)) from error
                if code not in (DEADLOCK, LOCK_WAIT_TIMEOUT):
                    raise
                if attempt == attempts:
                    raise Busy(f"gave up after {attempts} tries: {error.orig}") from error
            time.sleep(random.uniform(0.002, 0.02) * attempt)
        raise AssertionError("unreachable")

    def close(self) -> None:
        self.engine.dispose()


def error_code(error: DBAPIError) -> int | None:
    """The server's number for it."""
    arguments = getattr(error.orig, "args", ())
    return arguments[0] if arguments and isinstance(arguments[0], int) else None


def unreachable(error: DBAPIError) -> bool:
    """Whether the server, not the statement, is the trouble."""
    return error.connection_invalidated or error_code(error) in UNREACHABLE
