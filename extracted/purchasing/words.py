"""The words that states are called by, in the order of the codes that the monolith has for them."""

from __future__ import annotations

AVAILABILITIES = ("processing", "listed", "reserved", "sold", "returned", "withdrawn")
CONDITIONS = ("new_with_tags", "like_new", "gently_used", "worn")
ORDER_STATUSES = ("pending", "paid", "shipped", "delivered", "cancelled", "partly_returned", "returned")
ORDER_ITEM_STATUSES = ("sold", "return_requested", "returned")
PAYMENT_STATUSES = ("pending", "captured", "declined", "partly_refunded", "refunded")
RETURN_STATUSES = ("requested", "received", "refunded", "rejected")
REFUND_STATUSES = ("pending", "done")
REFUND_TO = ("card", "store_credit")
PROMOTION_KINDS = ("percent", "amount", "free_shipping")
CREDIT_REASONS = ("spent", "given_back", "refund", "bag_payout", "gift")
BAG_STATUSES = ("requested", "received", "processed", "cancelled")
ROLES = ("customer", "staff")
