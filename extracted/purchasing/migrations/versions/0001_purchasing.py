"""Carts, orders, returns, store credit and bags; copies of what they need; the outbox"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0001"
down_revision = None

OPTIONS = {"mysql_engine": "InnoDB", "mysql_charset": "utf8mb4", "mysql_collate": "utf8mb4_unicode_ci"}


def _ascii(length: int) -> mysql.CHAR:
    return mysql.CHAR(length, charset="ascii", collation="ascii_bin")


def upgrade() -> None:
    op.create_table(
        "addresses",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("line1", sa.String(length=160), nullable=False),
        sa.Column("line2", sa.String(length=160), nullable=True),
        sa.Column("city", sa.String(length=80), nullable=False),
        sa.Column("region", sa.String(length=80), nullable=True),
        sa.Column("postal_code", sa.String(length=20), nullable=False),
        sa.Column("country", sa.String(length=2), nullable=False),
        sa.Column("removed_at", sa.DateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        **OPTIONS,
    )
    op.create_table(
        "bag_contents",
        sa.Column("bag_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("item_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("bag_id", "item_id"),
        **OPTIONS,
    )
    op.create_table(
        "bags",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("uuid", _ascii(36), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("label_code", sa.String(length=24), nullable=False),
        sa.Column("status", sa.Enum("requested", "received", "processed", "cancelled", name="status"), nullable=False),
        sa.Column("payout_percent", sa.SmallInteger(), nullable=False),
        sa.Column("estimated_cents", sa.BigInteger(), nullable=True),
        sa.Column("notes", sa.String(length=500), nullable=True),
        sa.Column("received_at", sa.DateTime(), nullable=True),
        sa.Column("processed_at", sa.DateTime(), nullable=True),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("updated_at", sa.DateTime(), nullable=False),
        sa.Column("removed_at", sa.DateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("label_code", name="uq_bags_label_code"),
        **OPTIONS,
    )
    op.create_index("ix_bags_user_id_id", "bags", ["user_id", "id"], unique=False)
    op.create_index("ix_bags_uuid", "bags", ["uuid"], unique=False)
    op.create_table(
        "brands",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("slug", sa.String(length=140), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        **OPTIONS,
    )
    op.create_table(
        "cart_items",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("cart_id", sa.Integer(), nullable=False),
        sa.Column("item_id", sa.Integer(), nullable=False),
        sa.Column("cents_when_added", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("cart_id", "item_id", name="uq_cart_items_cart_id_item_id"),
        **OPTIONS,
    )
    op.create_index("ix_cart_items_item_id", "cart_items", ["item_id"], unique=False)
    op.create_table(
        "carts",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("codes", mysql.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("updated_at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("user_id", name="uq_carts_user_id"),
        **OPTIONS,
    )
    op.create_table(
        "categories",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("parent_id", sa.Integer(), nullable=True),
        sa.Column("retired", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        **OPTIONS,
    )
    op.create_table(
        "credit_balances",
        sa.Column("user_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("balance_cents", sa.BigInteger(), nullable=False),
        sa.Column("currency", _ascii(3), nullable=False),
        sa.PrimaryKeyConstraint("user_id"),
        **OPTIONS,
    )
    op.create_table(
        "credit_entries",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("amount_cents", sa.BigInteger(), nullable=False),
        sa.Column("balance_after_cents", sa.BigInteger(), nullable=False),
        sa.Column("currency", _ascii(3), nullable=False),
        sa.Column(
            "reason", sa.Enum("spent", "given_back", "refund", "bag_payout", "gift", name="reason"), nullable=False
        ),
        sa.Column("order_id", sa.Integer(), nullable=True),
        sa.Column("bag_id", sa.Integer(), nullable=True),
        sa.Column("note", sa.String(length=200), nullable=True),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        **OPTIONS,
    )
    op.create_index("ix_credit_entries_user_id_id", "credit_entries", ["user_id", "id"], unique=False)
    op.create_table(
        "items",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("price_cents", sa.BigInteger(), nullable=False),
        sa.Column("original_price_cents", sa.BigInteger(), nullable=True),
        sa.Column("currency", _ascii(3), nullable=False),
        sa.Column("brand_id", sa.Integer(), nullable=True),
        sa.Column("legacy_brand_name", sa.String(length=120), nullable=True),
        sa.Column("category_id", sa.Integer(), nullable=False),
        sa.Column("size", sa.String(length=20), nullable=True),
        sa.Column("colour", sa.String(length=30), nullable=True),
        sa.Column(
            "condition_word",
            sa.Enum("new_with_tags", "like_new", "gently_used", "worn", name="condition_word"),
            nullable=False,
        ),
        sa.Column("tags", mysql.JSON(), nullable=False),
        sa.Column("photos", mysql.JSON(), nullable=True),
        sa.Column("bag_id", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        **OPTIONS,
    )
    op.create_index("ix_items_bag_id", "items", ["bag_id"], unique=False)
    op.create_table(
        "message_preferences",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("topic", sa.String(length=30), nullable=False),
        sa.Column("by_mail", sa.Boolean(), nullable=False),
        sa.Column("in_app", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        **OPTIONS,
    )
    op.create_index("ix_message_preferences_user_id_topic", "message_preferences", ["user_id", "topic"], unique=False)
    op.create_table(
        "message_templates",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("topic", sa.String(length=30), nullable=False),
        sa.Column("subject", sa.String(length=200), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        **OPTIONS,
    )
    op.create_index("ix_message_templates_name", "message_templates", ["name"], unique=False)
    op.create_table(
        "order_discounts",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("order_id", sa.Integer(), nullable=False),
        sa.Column("promotion_id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.Enum("percent", "amount", "free_shipping", name="kind"), nullable=False),
        sa.Column("amount_cents", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        **OPTIONS,
    )
    op.create_index("ix_order_discounts_order_id", "order_discounts", ["order_id"], unique=False)
    op.create_table(
        "order_items",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("order_id", sa.Integer(), nullable=False),
        sa.Column("item_id", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("brand_name", sa.String(length=120), nullable=True),
        sa.Column("price_cents", sa.BigInteger(), nullable=False),
        sa.Column("discount_cents", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.Enum("sold", "return_requested", "returned", name="status"), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("updated_at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        **OPTIONS,
    )
    op.create_index("ix_order_items_item_id", "order_items", ["item_id"], unique=False)
    op.create_index("ix_order_items_order_id", "order_items", ["order_id"], unique=False)
    op.create_table(
        "orders",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("uuid", _ascii(36), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("address_id", sa.Integer(), nullable=True),
        sa.Column("ship_to", sa.Text(), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "pending", "paid", "shipped", "delivered", "cancelled", "partly_returned", "returned", name="status"
            ),
            nullable=False,
        ),
        sa.Column("currency", _ascii(3), nullable=False),
        sa.Column("totals", mysql.JSON(), nullable=False),
        sa.Column("total_cents", sa.BigInteger(), nullable=False),
        sa.Column("codes", mysql.JSON(), nullable=False),
        sa.Column("placed_at", sa.DateTime(), nullable=False),
        sa.Column("paid_at", sa.DateTime(), nullable=True),
        sa.Column("shipped_at", sa.DateTime(), nullable=True),
        sa.Column("delivered_at", sa.DateTime(), nullable=True),
        sa.Column("cancelled_at", sa.DateTime(), nullable=True),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("updated_at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        **OPTIONS,
    )
    op.create_index("ix_orders_status_created_at", "orders", ["status", "created_at"], unique=False)
    op.create_index("ix_orders_user_id_id", "orders", ["user_id", "id"], unique=False)
    op.create_index("ix_orders_uuid", "orders", ["uuid"], unique=False)
    op.create_table(
        "outgoing_mails",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("template", sa.String(length=60), nullable=False),
        sa.Column("to_address", sa.String(length=190), nullable=False),
        sa.Column("subject", sa.String(length=200), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("dedupe_key", sa.String(length=120), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("dedupe_key", name="uq_outgoing_mails_dedupe_key"),
        **OPTIONS,
    )
    op.create_table(
        "outgoing_notifications",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("topic", sa.String(length=30), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        **OPTIONS,
    )
    op.create_table(
        "payments",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("order_id", sa.Integer(), nullable=False),
        sa.Column("amount_cents", sa.BigInteger(), nullable=False),
        sa.Column("currency", _ascii(3), nullable=False),
        sa.Column(
            "status",
            sa.Enum("pending", "captured", "declined", "partly_refunded", "refunded", name="status"),
            nullable=False,
        ),
        sa.Column("source", sa.String(length=60), nullable=False),
        sa.Column("gateway_key", sa.String(length=80), nullable=False),
        sa.Column("charge_id", sa.String(length=60), nullable=True),
        sa.Column("error", sa.String(length=200), nullable=True),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("updated_at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("gateway_key", name="uq_payments_gateway_key"),
        sa.UniqueConstraint("order_id", name="uq_payments_order_id"),
        **OPTIONS,
    )
    op.create_table(
        "promotion_brands",
        sa.Column("promotion_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("brand_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("promotion_id", "brand_id"),
        **OPTIONS,
    )
    op.create_table(
        "promotion_categories",
        sa.Column("promotion_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("category_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("promotion_id", "category_id"),
        **OPTIONS,
    )
    op.create_table(
        "promotion_redemptions",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("promotion_id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("order_id", sa.Integer(), nullable=False),
        sa.Column("amount_cents", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("released_at", sa.DateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        **OPTIONS,
    )
    op.create_index("ix_promotion_redemptions_order_id", "promotion_redemptions", ["order_id"], unique=False)
    op.create_index(
        "ix_promotion_redemptions_promotion_user", "promotion_redemptions", ["promotion_id", "user_id"], unique=False
    )
    op.create_table(
        "promotion_uses",
        sa.Column("promotion_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("used_count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("promotion_id"),
        **OPTIONS,
    )
    op.create_table(
        "promotions",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.Enum("percent", "amount", "free_shipping", name="kind"), nullable=False),
        sa.Column("basis_points", sa.Integer(), nullable=True),
        sa.Column("amount_cents", sa.BigInteger(), nullable=True),
        sa.Column("min_spend_cents", sa.BigInteger(), nullable=False),
        sa.Column("starts_at", sa.DateTime(), nullable=True),
        sa.Column("ends_at", sa.DateTime(), nullable=True),
        sa.Column("per_user_limit", sa.Integer(), nullable=True),
        sa.Column("total_limit", sa.Integer(), nullable=True),
        sa.Column("stackable", sa.Boolean(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("removed_at", sa.DateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        **OPTIONS,
    )
    op.create_index("ix_promotions_code", "promotions", ["code"], unique=False)
    op.create_table(
        "purchase_keys",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("key_text", sa.String(length=100), nullable=False),
        sa.Column("request_hash", sa.String(length=64), nullable=False),
        sa.Column("order_id", sa.Integer(), nullable=True),
        sa.Column("response_status", sa.Integer(), nullable=True),
        sa.Column("response_body", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("updated_at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("user_id", "key_text", name="uq_purchase_keys_user_id_key_text"),
        **OPTIONS,
    )
    op.create_index("ix_purchase_keys_order_id", "purchase_keys", ["order_id"], unique=False)
    op.create_table(
        "refunds",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("return_id", sa.Integer(), nullable=False),
        sa.Column("order_id", sa.Integer(), nullable=False),
        sa.Column("payment_id", sa.Integer(), nullable=True),
        sa.Column("card_cents", sa.BigInteger(), nullable=False),
        sa.Column("credit_cents", sa.BigInteger(), nullable=False),
        sa.Column("currency", _ascii(3), nullable=False),
        sa.Column("status", sa.Enum("pending", "done", name="status"), nullable=False),
        sa.Column("gateway_key", sa.String(length=80), nullable=False),
        sa.Column("gateway_refund_id", sa.String(length=60), nullable=True),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("updated_at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("gateway_key", name="uq_refunds_gateway_key"),
        sa.UniqueConstraint("return_id", name="uq_refunds_return_id"),
        **OPTIONS,
    )
    op.create_index("ix_refunds_order_id", "refunds", ["order_id"], unique=False)
    op.create_index("ix_refunds_status", "refunds", ["status"], unique=False)
    op.create_table(
        "return_items",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("return_id", sa.Integer(), nullable=False),
        sa.Column("order_item_id", sa.Integer(), nullable=False),
        sa.Column("item_id", sa.Integer(), nullable=False),
        sa.Column("refund_cents", sa.BigInteger(), nullable=False),
        sa.Column("restocked", sa.Boolean(), nullable=True),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        **OPTIONS,
    )
    op.create_index("ix_return_items_return_id", "return_items", ["return_id"], unique=False)
    op.create_table(
        "returns",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("uuid", _ascii(36), nullable=False),
        sa.Column("order_id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("status", sa.Enum("requested", "received", "refunded", "rejected", name="status"), nullable=False),
        sa.Column("refund_to", sa.Enum("card", "store_credit", name="refund_to"), nullable=False),
        sa.Column("reason", sa.String(length=300), nullable=False),
        sa.Column("requested_at", sa.DateTime(), nullable=False),
        sa.Column("received_at", sa.DateTime(), nullable=True),
        sa.Column("refunded_at", sa.DateTime(), nullable=True),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("updated_at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        **OPTIONS,
    )
    op.create_index("ix_returns_order_id", "returns", ["order_id"], unique=False)
    op.create_index("ix_returns_user_id_id", "returns", ["user_id", "id"], unique=False)
    op.create_index("ix_returns_uuid", "returns", ["uuid"], unique=False)
    op.create_table(
        "sessions",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("expires_at", sa.DateTime(), nullable=False),
        sa.Column("revoked_at", sa.DateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        **OPTIONS,
    )
    op.create_index("ix_sessions_token_hash", "sessions", ["token_hash"], unique=False)
    op.create_table(
        "stock",
        sa.Column("item_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column(
            "availability",
            sa.Enum("processing", "listed", "reserved", "sold", "returned", "withdrawn", name="availability"),
            nullable=False,
        ),
        sa.Column("reserved_by", sa.Integer(), nullable=True),
        sa.Column("reserved_until", sa.DateTime(), nullable=True),
        sa.Column("sold_at", sa.DateTime(), nullable=True),
        sa.Column("removed_at", sa.DateTime(), nullable=True),
        sa.PrimaryKeyConstraint("item_id"),
        **OPTIONS,
    )
    op.create_index("ix_stock_availability_reserved_until", "stock", ["availability", "reserved_until"], unique=False)
    op.create_table(
        "users",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("email", sa.String(length=190), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("role", sa.Enum("customer", "staff", name="role"), nullable=False),
        sa.Column("default_address_id", sa.Integer(), nullable=True),
        sa.Column("removed_at", sa.DateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        **OPTIONS,
    )


def downgrade() -> None:
    op.drop_table("users")
    op.drop_table("stock")
    op.drop_table("sessions")
    op.drop_table("returns")
    op.drop_table("return_items")
    op.drop_table("refunds")
    op.drop_table("purchase_keys")
    op.drop_table("promotions")
    op.drop_table("promotion_uses")
    op.drop_table("promotion_redemptions")
    op.drop_table("promotion_categories")
    op.drop_table("promotion_brands")
    op.drop_table("payments")
    op.drop_table("outgoing_notifications")
    op.drop_table("outgoing_mails")
    op.drop_table("orders")
    op.drop_table("order_items")
    op.drop_table("order_discounts")
    op.drop_table("message_templates")
    op.drop_table("message_preferences")
    op.drop_table("items")
    op.drop_table("credit_entries")
    op.drop_table("credit_balances")
    op.drop_table("categories")
    op.drop_table("carts")
    op.drop_table("cart_items")
    op.drop_table("brands")
    op.drop_table("bags")
    op.drop_table("bag_contents")
    op.drop_table("addresses")
