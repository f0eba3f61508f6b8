"""Alembic revisions of the shop's schema."""
