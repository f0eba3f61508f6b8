"""Returns as the API says them. The order of the keys is part of the API."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from extracted.purchasing import money
from extracted.purchasing.clock import shop_time
from extracted.purchasing.tables import Refund, Return, ReturnItem


def represent(session: Session, row: Return) -> dict[str, Any]:
    items = session.scalars(select(ReturnItem).where(ReturnItem.return_id == row.id).order_by(ReturnItem.id))
    refund = session.scalar(select(Refund).where(Refund.return_id == row.id))
    return {
        "id": row.id,
        "order_id": row.order_id,
        "status": row.status,
        "refund_to": row.refund_to,
        "reason": row.reason,
        "items": [
            {
                "order_item_id": each.order_item_id,
                "item_id": each.item_id,
                "refund_amount": money.text(each.refund_cents),
                "restocked": each.restocked,
            }
            for each in items
        ],
        "refund": None
        if refund is None
        else {
            "status": refund.status,
            "card_amount": money.text(refund.card_cents),
            "credit_amount": money.text(refund.credit_cents),
            "gateway_refund_id": refund.gateway_refund_id,
        },
        "requested_at": shop_time(row.requested_at),
        "received_at": shop_time(row.received_at),
        "refunded_at": shop_time(row.refunded_at),
    }
