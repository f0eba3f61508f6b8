"""Alembic revisions of the purchasing database, with a version table of their own."""
