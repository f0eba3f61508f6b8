"""The service's tables.

Keys are the monolith's ids, so that links keep working; a UUID stands beside each for whoever comes later. There are
no foreign keys and no second unique key: rows arrive by stream, table by table, and integrity is the owner's work; a
second unique key would let an upsert hit the wrong row when two rows swap values.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Enum,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    false,
    text,
)
from sqlalchemy.dialects.mysql import CHAR, DATETIME, JSON

TABLE_OPTIONS = {"mysql_engine": "InnoDB", "mysql_charset": "utf8mb4", "mysql_collate": "utf8mb4_unicode_ci"}
CONDITIONS = ("new_with_tags", "like_new", "gently_used", "worn")
AVAILABILITIES = ("processing", "listed", "reserved", "sold", "returned", "withdrawn")
#: The currency of every price so far; legacy's prices carry none.
CURRENCY = "USD"

metadata = MetaData()


def _uuid() -> Column[str]:
    """Made from the key: RFC 9562 version 3 of ``NAMESPACE`` (see ``identity.py``) and, for instance, ``item/17``."""
    return Column("uuid", CHAR(36, charset="ascii", collation="ascii_bin"), nullable=False)


def _utc(name: str, nullable: bool = False) -> Column:
    return Column(name, DATETIME(fsp=6), nullable=nullable)


brands = Table(
    "brands",
    metadata,
    Column("legacy_id", BigInteger, primary_key=True, autoincrement=False),
    _uuid(),
    Column("name", String(120), nullable=False),
    Column("legacy_name", String(120), nullable=False),  # as legacy wrote it, blanks and all: only for the way back
    Column("slug", String(140), nullable=False),
    Column("designer", Boolean, nullable=False),
    _utc("created_at"),
    _utc("updated_at"),
    _utc("retired_at", nullable=True),
    # the service's own
    Column("featured", Boolean, nullable=False, server_default=false()),
    Index("ix_brands_uuid", "uuid"),
    Index("ix_brands_slug", "slug"),
    **TABLE_OPTIONS,
)

categories = Table(
    "categories",
    metadata,
    Column("legacy_id", BigInteger, primary_key=True, autoincrement=False),
    _uuid(),
    Column("parent_id", BigInteger, nullable=True),
    Column("name", String(80), nullable=False),
    Column("slug", String(140), nullable=False),
    Column("position", Integer, nullable=False),
    _utc("created_at"),
    _utc("updated_at"),
    _utc("retired_at", nullable=True),
    Index("ix_categories_uuid", "uuid"),
    Index("ix_categories_slug", "slug"),
    **TABLE_OPTIONS,
)

# Carried at the end of the list indexes, so that a narrowed count, and a page's keys, are read from the index alone.
_NARROWING = ("size", "colour", "condition_word")
_BY_TIME = ("created_at", "legacy_id")
_BY_PRICE = ("price_cents", "legacy_id")

items = Table(
    "items",
    metadata,
    Column("legacy_id", BigInteger, primary_key=True, autoincrement=False),
    _uuid(),
    Column("title", String(200), nullable=False),
    Column("description", Text, nullable=True),
    Column("price_cents", BigInteger, nullable=False),
    Column("original_price_cents", BigInteger, nullable=True),
    Column("currency", CHAR(3, charset="ascii", collation="ascii_bin"), nullable=False),
    Column("brand_id", BigInteger, nullable=True),
    Column("category_id", BigInteger, nullable=False),
    Column("size", String(20), nullable=True),
    Column("colour", String(30), nullable=True),
    Column("condition_word", Enum(*CONDITIONS, name="condition_word"), nullable=False),
    Column("availability", Enum(*AVAILABILITIES, name="availability"), nullable=False),
    Column("tags", JSON, nullable=False),
    Column("photos", JSON, nullable=True),
    Column("weight_grams", Integer, nullable=True),
    Column("markdown_count", Integer, nullable=False),
    Column("legacy_brand_name", String(120), nullable=True),  # legacy's stale copy: only for the way back
    _utc("created_at"),
    _utc("updated_at"),
    # the service's own
    Column("search_boost", Integer, nullable=False, server_default=text("0")),
    Column("view_count", BigInteger, nullable=False, server_default=text("0")),
    Index("ix_items_uuid", "uuid"),
    Index("ix_items_newest", "availability", *_BY_TIME, "category_id", *_NARROWING, "price_cents"),
    Index("ix_items_price", "availability", *_BY_PRICE, "category_id", *_NARROWING),
    Index("ix_items_category_newest", "category_id", "availability", *_BY_TIME, *_NARROWING, "price_cents"),
    Index("ix_items_category_price", "category_id", "availability", *_BY_PRICE, *_NARROWING),
    Index("ix_items_brand_newest", "brand_id", "availability", *_BY_TIME, *_NARROWING, "price_cents"),
    Index("ix_items_title", "title", mysql_prefix="FULLTEXT"),
    **TABLE_OPTIONS,
)
