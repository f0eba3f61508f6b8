"""Texts of the messages"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

TEMPLATES = [
    ("welcome", "account", "Welcome, {name}", "Hello {name},\n\ngood to have you with us.\n"),
    (
        "order_paid",
        "orders",
        "Your order {order_id}",
        "Hello {name},\n\nthank you for order {order_id}: {item_count} item(s), {total} in all.\n",
    ),
    (
        "order_declined",
        "orders",
        "Order {order_id} was not paid",
        "Hello {name},\n\nyour card was declined: {reason}.\n",
    ),
    ("order_shipped", "orders", "Order {order_id} is on its way", "Hello {name},\n\nwe have sent order {order_id}.\n"),
    (
        "reservation_expired",
        "orders",
        "Your reservation has run out",
        "Hello {name},\n\nwe could keep {title} for you no longer.\n",
    ),
    (
        "return_received",
        "returns",
        "We have your return {return_id}",
        "Hello {name},\n\nyour parcel for return {return_id} has arrived.\n",
    ),
    (
        "return_refunded",
        "returns",
        "Refund for return {return_id}",
        "Hello {name},\n\nwe have given back {amount} for return {return_id}.\n",
    ),
    (
        "bag_processed",
        "bags",
        "Your bag {label_code}",
        "Hello {name},\n\n{item_count} item(s) listed, payout {payout}.\n",
    ),
    (
        "price_drop",
        "favourites",
        "{title} costs less now",
        "Hello {name},\n\n{title}, which you like, now costs {price} instead of {old_price}.\n",
    ),
]


def upgrade() -> None:
    table = sa.table(
        "notification_templates",
        *(sa.column(name, sa.String()) for name in ("name", "topic", "subject", "body")),
        sa.column("updated_at", sa.DateTime()),
    )
    stamp = sa.text("UTC_TIMESTAMP() - INTERVAL 8 HOUR")
    for name, topic, subject, body in TEMPLATES:
        op.execute(sa.insert(table).values(name=name, topic=topic, subject=subject, body=body, updated_at=stamp))


def downgrade() -> None:
    op.execute("DELETE FROM notification_templates")
