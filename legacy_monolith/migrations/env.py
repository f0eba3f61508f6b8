"""Alembic's entry: runs on the connection that ``legacy_monolith.migrate`` hands over."""

from alembic import context

from legacy_monolith.models import Base

context.configure(connection=context.config.attributes["connection"], target_metadata=Base.metadata, compare_type=True)
with context.begin_transaction():
    context.run_migrations()
