"""Catalog, people and bags"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "brands",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("slug", sa.String(length=140), nullable=False),
        sa.Column("is_designer", sa.SmallInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("updated_at", sa.DateTime(), nullable=False),
        sa.Column("deleted_at", sa.DateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_brands")),
        sa.UniqueConstraint("slug", name=op.f("uq_brands_slug")),
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_unicode_ci",
        mysql_engine="InnoDB",
    )
    op.create_table(
        "categories",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("parent_id", sa.Integer(), nullable=True),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("slug", sa.String(length=140), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("updated_at", sa.DateTime(), nullable=False),
        sa.Column("deleted_at", sa.DateTime(), nullable=True),
        sa.ForeignKeyConstraint(["parent_id"], ["categories.id"], name=op.f("fk_categories_parent_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_categories")),
        sa.UniqueConstraint("slug", name=op.f("uq_categories_slug")),
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_unicode_ci",
        mysql_engine="InnoDB",
    )
    op.create_index(op.f("ix_categories_parent_id"), "categories", ["parent_id"], unique=False)
    op.create_table(
        "users",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("email", sa.String(length=190), nullable=False),
        sa.Column("password_hash", sa.String(length=200), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("phone", sa.String(length=40), nullable=True),
        sa.Column("role", sa.SmallInteger(), nullable=False),
        sa.Column("store_credit", sa.Numeric(precision=10, scale=2), nullable=False),
        sa.Column("default_address_id", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("updated_at", sa.DateTime(), nullable=False),
        sa.Column("deleted_at", sa.DateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
        sa.UniqueConstraint("email", name=op.f("uq_users_email")),
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_unicode_ci",
        mysql_engine="InnoDB",
    )
    op.create_table(
        "bags",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("label_code", sa.String(length=24), nullable=False),
        sa.Column("status", sa.SmallInteger(), nullable=False),
        sa.Column("payout_percent", sa.SmallInteger(), nullable=False),
        sa.Column("estimated_value", sa.Numeric(precision=10, scale=2), nullable=True),
        sa.Column("notes", sa.String(length=500), nullable=True),
        sa.Column("received_at", sa.DateTime(), nullable=True),
        sa.Column("processed_at", sa.DateTime(), nullable=True),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("updated_at", sa.DateTime(), nullable=False),
        sa.Column("deleted_at", sa.DateTime(), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_bags_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bags")),
        sa.UniqueConstraint("label_code", name=op.f("uq_bags_label_code")),
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_unicode_ci",
        mysql_engine="InnoDB",
    )
    op.create_index("ix_bags_status_created_at", "bags", ["status", "created_at"], unique=False)
    op.create_index(op.f("ix_bags_user_id"), "bags", ["user_id"], unique=False)
    op.create_table(
        "items",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("price", sa.Numeric(precision=10, scale=2), nullable=False),
        sa.Column("original_price", sa.Numeric(precision=10, scale=2), nullable=True),
        sa.Column("brand_id", sa.Integer(), nullable=True),
        sa.Column("brand_name", sa.String(length=120), nullable=True),
        sa.Column("category_id", sa.Integer(), nullable=False),
        sa.Column("size", sa.String(length=20), nullable=True),
        sa.Column("colour", sa.String(length=30), nullable=True),
        sa.Column("condition_code", sa.SmallInteger(), nullable=False),
        sa.Column("tags", sa.String(length=400), nullable=False),
        sa.Column("photos", sa.Text(), nullable=True),
        sa.Column("weight_grams", sa.Integer(), nullable=True),
        sa.Column("seller_id", sa.Integer(), nullable=True),
        sa.Column("bag_id", sa.Integer(), nullable=True),
        sa.Column("status", sa.SmallInteger(), nullable=False),
        sa.Column("reserved_by", sa.Integer(), nullable=True),
        sa.Column("reserved_until", sa.DateTime(), nullable=True),
        sa.Column("sold_at", sa.DateTime(), nullable=True),
        sa.Column("markdown_count", sa.Integer(), nullable=False),
        sa.Column("last_markdown_at", sa.DateTime(), nullable=True),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("updated_at", sa.DateTime(), nullable=False),
        sa.Column("deleted_at", sa.DateTime(), nullable=True),
        sa.ForeignKeyConstraint(["bag_id"], ["bags.id"], name=op.f("fk_items_bag_id")),
        sa.ForeignKeyConstraint(["brand_id"], ["brands.id"], name=op.f("fk_items_brand_id")),
        sa.ForeignKeyConstraint(["category_id"], ["categories.id"], name=op.f("fk_items_category_id")),
        sa.ForeignKeyConstraint(["reserved_by"], ["users.id"], name=op.f("fk_items_reserved_by")),
        sa.ForeignKeyConstraint(["seller_id"], ["users.id"], name=op.f("fk_items_seller_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_items")),
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_unicode_ci",
        mysql_engine="InnoDB",
    )
    op.create_index(op.f("ix_items_bag_id"), "items", ["bag_id"], unique=False)
    op.create_index(
        "ix_items_brand_newest",
        "items",
        ["brand_id", "status", "deleted_at", "created_at", "id", "size", "colour", "condition_code", "price"],
        unique=False,
    )
    op.create_index(
        "ix_items_category_newest",
        "items",
        ["category_id", "status", "deleted_at", "created_at", "id", "size", "colour", "condition_code", "price"],
        unique=False,
    )
    op.create_index(
        "ix_items_category_price",
        "items",
        ["category_id", "status", "deleted_at", "price", "id", "size", "colour", "condition_code"],
        unique=False,
    )
    op.create_index(
        "ix_items_newest",
        "items",
        ["status", "deleted_at", "created_at", "id", "category_id", "size", "colour", "condition_code", "price"],
        unique=False,
    )
    op.create_index(
        "ix_items_price",
        "items",
        ["status", "deleted_at", "price", "id", "category_id", "size", "colour", "condition_code"],
        unique=False,
    )
    op.create_index(op.f("ix_items_reserved_by"), "items", ["reserved_by"], unique=False)
    op.create_index("ix_items_reserved_until", "items", ["status", "reserved_until"], unique=False)
    op.create_index(op.f("ix_items_seller_id"), "items", ["seller_id"], unique=False)
    op.create_index("ix_items_title", "items", ["title"], unique=False, mysql_prefix="FULLTEXT")


def downgrade() -> None:
    op.drop_index("ix_items_title", table_name="items", mysql_prefix="FULLTEXT")
    op.drop_index(op.f("ix_items_seller_id"), table_name="items")
    op.drop_index("ix_items_reserved_until", table_name="items")
    op.drop_index(op.f("ix_items_reserved_by"), table_name="items")
    op.drop_index("ix_items_price", table_name="items")
    op.drop_index("ix_items_newest", table_name="items")
    op.drop_index("ix_items_category_price", table_name="items")
    op.drop_index("ix_items_category_newest", table_name="items")
    op.drop_index("ix_items_brand_newest", table_name="items")
    op.drop_index(op.f("ix_items_bag_id"), table_name="items")
    op.drop_table("items")
    op.drop_index(op.f("ix_bags_user_id"), table_name="bags")
    op.drop_index("ix_bags_status_created_at", table_name="bags")
    op.drop_table("bags")
    op.drop_table("users")
    op.drop_index(op.f("ix_categories_parent_id"), table_name="categories")
    op.drop_table("categories")
    op.drop_table("brands")
