"""The migrations make exactly the tables that the models describe, on both servers."""

from __future__ import annotations

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine

from legacy_monolith.migrate import upgrade
from legacy_monolith.models import Base

pytestmark = pytest.mark.real


@pytest.mark.parametrize("server", ["mysql_legacy", "mariadb_server"])
def test_migrations_and_models_agree(server, fresh_schema, request):
    engine = create_engine(fresh_schema(request.getfixturevalue(server)).url)
    upgrade(engine)
    upgrade(engine)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []
    engine.dispose()
    assert len(Base.metadata.tables) == 29
