from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, inspect

from cdc.database import Database
from extracted.purchasing.migrate import upgrade
from extracted.purchasing.tables import Base
from strangler.dev.ports import free_port
from strangler.dev.server import PrivateServer

ROOT = Path(__file__).parents[3]
FreshSchema = Callable[[PrivateServer], Database]


def migrate(url: str | None) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    if url is not None:
        environment["DATABASE_URL"] = url
    command = [sys.executable, "-m", "extracted.purchasing.migrate"]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)


@pytest.mark.real
@pytest.mark.parametrize("server", ["mysql_new", "mariadb_server"])
def test_the_migrations_make_the_tables_of_the_schema_on_both_servers(
    server: str, request: pytest.FixtureRequest, fresh_schema: FreshSchema
) -> None:
    database = fresh_schema(request.getfixturevalue(server))
    engine = create_engine(database.url)
    upgrade(engine)
    upgrade(engine)
    with engine.connect() as connection:
        assert set(inspect(connection).get_table_names()) == {*Base.metadata.tables, "purchasing_version"}
        context = MigrationContext.configure(connection, opts={"version_table": "purchasing_version"})
        # MariaDB's JSON is LONGTEXT with a check; SQLAlchemy sees that as another type.
        found = [
            change
            for change in compare_metadata(context, Base.metadata)
            if not (server == "mariadb_server" and "modify_type" in str(change) and "JSON" in str(change))
        ]
        assert found == []
    engine.dispose()


@pytest.mark.real
def test_the_command_migrates(mysql_new: PrivateServer, fresh_schema: FreshSchema) -> None:
    database = fresh_schema(mysql_new)
    done = migrate(database.url.replace("mysql+pymysql", "mysql"))
    assert (done.returncode, done.stdout) == (0, "")
    engine = create_engine(database.url)
    assert inspect(engine).has_table("orders")
    engine.dispose()


@pytest.mark.parametrize("url", [None, "sqlite:///x.db", "items"])
def test_a_missing_or_foreign_address_is_named(url: str | None) -> None:
    done = migrate(url)
    assert done.returncode == 2
    assert "error: DATABASE_URL is not" in done.stderr
    assert "mysql://user:password@" in done.stderr


def test_a_database_that_does_not_answer_is_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from extracted.purchasing import migrate as module

    monkeypatch.setattr(module, "WAIT_SECONDS", 0.0)
    monkeypatch.setattr(module.wait_for, "__defaults__", (0.0,))
    monkeypatch.setenv("DATABASE_URL", f"mysql://u:secret@127.0.0.1:{free_port()}/purchasing")
    assert module.main() == 1
    said = capsys.readouterr().err
    assert "could not be migrated" in said
    assert "secret" not in said
