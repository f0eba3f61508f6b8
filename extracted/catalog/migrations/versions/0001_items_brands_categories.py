"""Items, brands and categories"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0001"
down_revision = None

OPTIONS = {"mysql_engine": "InnoDB", "mysql_charset": "utf8mb4", "mysql_collate": "utf8mb4_unicode_ci"}

BY_TIME = ("created_at", "legacy_id")
BY_PRICE = ("price_cents", "legacy_id")
NARROWING = ("size", "colour", "condition_word")


def _ascii(length: int) -> mysql.CHAR:
    return mysql.CHAR(length, charset="ascii", collation="ascii_bin")


def upgrade() -> None:
    op.create_table(
        "brands",
        sa.Column("legacy_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("uuid", _ascii(36), nullable=False),
        sa.Column("name", sa.String(120), nullable=False),
        sa.Column("legacy_name", sa.String(120), nullable=False),
        sa.Column("slug", sa.String(140), nullable=False),
        sa.Column("designer", sa.Boolean(), nullable=False),
        sa.Column("created_at", mysql.DATETIME(fsp=6), nullable=False),
        sa.Column("updated_at", mysql.DATETIME(fsp=6), nullable=False),
        sa.Column("retired_at", mysql.DATETIME(fsp=6), nullable=True),
        sa.Column("featured", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.PrimaryKeyConstraint("legacy_id"),
        sa.Index("ix_brands_uuid", "uuid"),
        sa.Index("ix_brands_slug", "slug"),
        **OPTIONS,
    )
    op.create_table(
        "categories",
        sa.Column("legacy_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("uuid", _ascii(36), nullable=False),
        sa.Column("parent_id", sa.BigInteger(), nullable=True),
        sa.Column("name", sa.String(80), nullable=False),
        sa.Column("slug", sa.String(140), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("created_at", mysql.DATETIME(fsp=6), nullable=False),
        sa.Column("updated_at", mysql.DATETIME(fsp=6), nullable=False),
        sa.Column("retired_at", mysql.DATETIME(fsp=6), nullable=True),
        sa.PrimaryKeyConstraint("legacy_id"),
        sa.Index("ix_categories_uuid", "uuid"),
        sa.Index("ix_categories_slug", "slug"),
        **OPTIONS,
    )
    op.create_table(
        "items",
        sa.Column("legacy_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("uuid", _ascii(36), nullable=False),
        sa.Column("title", sa.String(200), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("price_cents", sa.BigInteger(), nullable=False),
        sa.Column("original_price_cents", sa.BigInteger(), nullable=True),
        sa.Column("currency", _ascii(3), nullable=False),
        sa.Column("brand_id", sa.BigInteger(), nullable=True),
        sa.Column("category_id", sa.BigInteger(), nullable=False),
        sa.Column("size", sa.String(20), nullable=True),
        sa.Column("colour", sa.String(30), nullable=True),
        sa.Column("condition_word", sa.Enum("new_with_tags", "like_new", "gently_used", "worn"), nullable=False),
        sa.Column(
            "availability",
            sa.Enum("processing", "listed", "reserved", "sold", "returned", "withdrawn"),
            nullable=False,
        ),
        sa.Column("tags", mysql.JSON(), nullable=False),
        sa.Column("photos", mysql.JSON(), nullable=True),
        sa.Column("weight_grams", sa.Integer(), nullable=True),
        sa.Column("markdown_count", sa.Integer(), nullable=False),
        sa.Column("legacy_brand_name", sa.String(120), nullable=True),
        sa.Column("created_at", mysql.DATETIME(fsp=6), nullable=False),
        sa.Column("updated_at", mysql.DATETIME(fsp=6), nullable=False),
        sa.Column("search_boost", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("view_count", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.PrimaryKeyConstraint("legacy_id"),
        sa.Index("ix_items_uuid", "uuid"),
        sa.Index("ix_items_newest", "availability", *BY_TIME, "category_id", *NARROWING, "price_cents"),
        sa.Index("ix_items_price", "availability", *BY_PRICE, "category_id", *NARROWING),
        sa.Index("ix_items_category_newest", "category_id", "availability", *BY_TIME, *NARROWING, "price_cents"),
        sa.Index("ix_items_category_price", "category_id", "availability", *BY_PRICE, *NARROWING),
        sa.Index("ix_items_brand_newest", "brand_id", "availability", *BY_TIME, *NARROWING, "price_cents"),
        sa.Index("ix_items_title", "title", mysql_prefix="FULLTEXT"),
        **OPTIONS,
    )


def downgrade() -> None:
    op.drop_table("items")
    op.drop_table("categories")
    op.drop_table("brands")
