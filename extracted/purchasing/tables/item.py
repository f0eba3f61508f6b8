"""Items: what is known of them, and whether they can be bought."""

from __future__ import annotations

from sqlalchemy import Boolean, Index, String
from sqlalchemy.dialects.mysql import JSON
from sqlalchemy.orm import Mapped, mapped_column

from extracted.purchasing.tables.base import TABLE_OPTIONS, Base, Cents, Currency, GivenKey, Reference, Utc, words
from extracted.purchasing.words import AVAILABILITIES, CONDITIONS


class Item(Base):
    """An item's card, a copy of the monolith's: catalog decides what stands on it."""

    __tablename__ = "items"

    id: Mapped[GivenKey]
    title: Mapped[str] = mapped_column(String(200))
    price_cents: Mapped[Cents]
    original_price_cents: Mapped[Cents | None]
    currency: Mapped[Currency]
    brand_id: Mapped[Reference | None]
    legacy_brand_name: Mapped[str | None] = mapped_column(String(120))  # what orders keep of the brand
    category_id: Mapped[Reference]
    size: Mapped[str | None] = mapped_column(String(20))
    colour: Mapped[str | None] = mapped_column(String(30))
    condition_word: Mapped[str] = mapped_column(words("condition_word", CONDITIONS))
    tags: Mapped[list[str]] = mapped_column(JSON)
    photos: Mapped[list[str] | None] = mapped_column(JSON)
    bag_id: Mapped[Reference | None] = mapped_column(index=True)
    created_at: Mapped[Utc]


class Stock(Base):
    """What purchasing owns of an item. ``reserved_by`` stays with a sold item: its buyer."""

    __tablename__ = "stock"
    __table_args__ = (Index("ix_stock_availability_reserved_until", "availability", "reserved_until"), TABLE_OPTIONS)

    item_id: Mapped[GivenKey]
    availability: Mapped[str] = mapped_column(words("availability", AVAILABILITIES))
    reserved_by: Mapped[Reference | None]
    reserved_until: Mapped[Utc | None]
    sold_at: Mapped[Utc | None]
    removed_at: Mapped[Utc | None]


class Brand(Base):
    """A copy: the name without stray blanks."""

    __tablename__ = "brands"

    id: Mapped[GivenKey]
    name: Mapped[str] = mapped_column(String(120))
    slug: Mapped[str] = mapped_column(String(140))


class Category(Base):
    """A copy: enough of the tree to know what a promotion covers and what a staff member is shown."""

    __tablename__ = "categories"

    id: Mapped[GivenKey]
    parent_id: Mapped[Reference | None]
    retired: Mapped[bool] = mapped_column(Boolean)
