"""``python -m extracted.purchasing.migrate``: waits for the database, then brings its tables to the newest revision."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine, create_engine, text
from sqlalchemy.exc import OperationalError

from extracted.purchasing.settings import SettingsError, database_url

MIGRATIONS = Path(__file__).with_name("migrations")
LOCK = "extracted.purchasing.migrate"
WAIT_SECONDS = 60.0


def upgrade(engine: Engine, revision: str = "head") -> None:
    """All outstanding revisions, one process at a time (a named lock in the database). Nothing if there are none."""
    with engine.connect() as connection:
        if connection.execute(text("SELECT GET_LOCK(:name, 120)"), {"name": LOCK}).scalar() != 1:
            raise TimeoutError("another process has been migrating purchasing for more than 120 s")
        try:
            _alembic(connection, revision)
        finally:
            connection.execute(text("SELECT RELEASE_LOCK(:name)"), {"name": LOCK})
            connection.commit()


def wait_for(engine: Engine, seconds: float = WAIT_SECONDS) -> None:
    """Until the database answers; raises the last OperationalError after ``seconds``."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            with engine.connect() as connection:
                connection.execute(text("SELECT 1"))
            return
        except OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)


def _alembic(connection: Connection, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


def main() -> int:
    try:
        engine = create_engine(database_url())
        wait_for(engine)
        upgrade(engine)
    except SettingsError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except (OperationalError, TimeoutError) as error:
        print(f"error: the purchasing database could not be migrated: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
