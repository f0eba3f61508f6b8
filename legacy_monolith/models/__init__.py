"""The tables, one noun per file. Importing this package knows them all."""

from legacy_monolith.models.address import Address
from legacy_monolith.models.bag import Bag
from legacy_monolith.models.base import Base
from legacy_monolith.models.brand import Brand
from legacy_monolith.models.cart import Cart, CartItem
from legacy_monolith.models.category import Category
from legacy_monolith.models.favourite import Favourite
from legacy_monolith.models.idempotency_key import IdempotencyKey
from legacy_monolith.models.item import Item
from legacy_monolith.models.item_return import Return, ReturnItem
from legacy_monolith.models.job_run import JobRun
from legacy_monolith.models.mail import Mail
from legacy_monolith.models.notification import Notification, NotificationPreference, NotificationTemplate
from legacy_monolith.models.order import Order, OrderDiscount, OrderItem
from legacy_monolith.models.payment import Payment, Refund
from legacy_monolith.models.price_change import PriceChange
from legacy_monolith.models.promotion import Promotion, PromotionBrand, PromotionCategory, PromotionRedemption
from legacy_monolith.models.session import Session
from legacy_monolith.models.store_credit import StoreCreditEntry
from legacy_monolith.models.user import User

__all__ = [
    "Address",
    "Bag",
    "Base",
    "Brand",
    "Cart",
    "CartItem",
    "Category",
    "Favourite",
    "IdempotencyKey",
    "Item",
    "JobRun",
    "Mail",
    "Notification",
    "NotificationPreference",
    "NotificationTemplate",
    "Order",
    "OrderDiscount",
    "OrderItem",
    "Payment",
    "PriceChange",
    "Promotion",
    "PromotionBrand",
    "PromotionCategory",
    "PromotionRedemption",
    "Refund",
    "Return",
    "ReturnItem",
    "Session",
    "StoreCreditEntry",
    "User",
]
