"""The service's tables, one noun per file. Importing this package knows them all.

Rows that purchasing owns carry the ids of the monolith's rows, whichever side made them, so that an order begun on one
side can be finished on the other. Money is whole cents, states are words, times are UTC in whole seconds (the monolith
holds no finer ones, and both sides have to be equal). There are no foreign keys: rows arrive by stream, table by table.
"""

from extracted.purchasing.tables.bag import Bag, BagContent
from extracted.purchasing.tables.base import Base
from extracted.purchasing.tables.cart import Cart, CartItem
from extracted.purchasing.tables.credit import CreditBalance, CreditEntry
from extracted.purchasing.tables.item import Brand, Category, Item, Stock
from extracted.purchasing.tables.message import MessagePreference, MessageTemplate, OutgoingMail, OutgoingNotification
from extracted.purchasing.tables.order import Order, OrderDiscount, OrderItem
from extracted.purchasing.tables.payment import Payment, Refund
from extracted.purchasing.tables.person import Address, Session, User
from extracted.purchasing.tables.promotion import (
    Promotion,
    PromotionBrand,
    PromotionCategory,
    PromotionRedemption,
    PromotionUse,
)
from extracted.purchasing.tables.purchase_key import PurchaseKey
from extracted.purchasing.tables.send_back import Return, ReturnItem

__all__ = [
    "Address",
    "Bag",
    "BagContent",
    "Base",
    "Brand",
    "Cart",
    "CartItem",
    "Category",
    "CreditBalance",
    "CreditEntry",
    "Item",
    "MessagePreference",
    "MessageTemplate",
    "Order",
    "OrderDiscount",
    "OrderItem",
    "OutgoingMail",
    "OutgoingNotification",
    "Payment",
    "Promotion",
    "PromotionBrand",
    "PromotionCategory",
    "PromotionRedemption",
    "PromotionUse",
    "PurchaseKey",
    "Refund",
    "Return",
    "ReturnItem",
    "Session",
    "Stock",
    "User",
]
