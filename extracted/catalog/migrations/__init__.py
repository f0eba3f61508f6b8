"""Alembic revisions of the catalog's own database, with a version table of their own."""
