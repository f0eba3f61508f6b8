"""Staff removing an item."""

from __future__ import annotations

from flask import Blueprint

from extracted.purchasing.checkout.reservation import lock_stock
from extracted.purchasing.clock import utc_now
from extracted.purchasing.web.answer import Reply
from extracted.purchasing.web.endpoint import Access, Call, endpoint
from extracted.purchasing.web.errors import conflict, not_found
from extracted.purchasing.web.late import Missing

blueprint = Blueprint("items", __name__)


@blueprint.delete("/api/items/<int:item_id>")
@endpoint(access=Access.STAFF, status=204)
def remove(call: Call, item_id: int) -> Reply:
    found = lock_stock(call.session, [item_id])
    if not found:
        raise Missing(not_found("item"), lambda: call.service.shop.has_item(item_id))
    (row,) = found
    if row.removed_at is not None:
        raise not_found("item")
    if row.availability in ("reserved", "sold"):
        raise conflict("wrong_status", f"item {item_id} is {row.availability}")
    row.availability, row.removed_at = "withdrawn", utc_now()
    return Reply()
