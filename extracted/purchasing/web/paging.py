"""Lists of a user's own things: the newest first, page by page."""

from __future__ import annotations

from typing import Any

from marshmallow import EXCLUDE, Schema, fields, validate


class PageQuery(Schema):
    """``page`` from 1, ``per_page`` up to 100."""

    class Meta:
        unknown = EXCLUDE

    page = fields.Integer(load_default=1, validate=validate.Range(1, 10_000))
    per_page = fields.Integer(load_default=24, validate=validate.Range(1, 100))


def window(query: dict[str, Any]) -> tuple[int, int]:
    """(limit, offset)"""
    return query["per_page"], (query["page"] - 1) * query["per_page"]
