"""Items: every one exists once. One wide table in which catalog and purchasing both write."""

from __future__ import annotations

from sqlalchemy import ForeignKey, Index, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from legacy_monolith.models.base import TABLE_OPTIONS, Base, Code, Created, Key, LocalTime, Money, Updated

# The columns that narrow a list without ordering it are carried at the end of each index, so that counting and paging
# read the index alone.
_LISTED = ("status", "deleted_at")
_NARROWING = ("size", "colour", "condition_code")


class Item(Base):
    """One item. Catalog's columns come first, then those that purchasing writes, then the book-keeping."""

    __tablename__ = "items"
    __table_args__ = (
        Index("ix_items_newest", *_LISTED, "created_at", "id", "category_id", *_NARROWING, "price"),
        Index("ix_items_price", *_LISTED, "price", "id", "category_id", *_NARROWING),
        Index("ix_items_category_newest", "category_id", *_LISTED, "created_at", "id", *_NARROWING, "price"),
        Index("ix_items_category_price", "category_id", *_LISTED, "price", "id", *_NARROWING),
        Index("ix_items_brand_newest", "brand_id", *_LISTED, "created_at", "id", *_NARROWING, "price"),
        Index("ix_items_reserved_until", "status", "reserved_until"),
        Index("ix_items_title", "title", mysql_prefix="FULLTEXT"),
        TABLE_OPTIONS,
    )

    id: Mapped[Key]
    # catalog
    title: Mapped[str] = mapped_column(String(200))
    description: Mapped[str | None] = mapped_column(Text)
    price: Mapped[Money]
    original_price: Mapped[Money | None]
    brand_id: Mapped[int | None] = mapped_column(ForeignKey("brands.id"))
    brand_name: Mapped[str | None] = mapped_column(String(120))  # copied once, never kept up: stray blanks, any case
    category_id: Mapped[int] = mapped_column(ForeignKey("categories.id"))
    size: Mapped[str | None] = mapped_column(String(20))
    colour: Mapped[str | None] = mapped_column(String(30))
    condition_code: Mapped[Code]  # 1 new with tags, 2 like new, 3 gently used, 4 worn
    tags: Mapped[str] = mapped_column(String(400), default="")  # comma-separated
    photos: Mapped[str | None] = mapped_column(Text)  # comma-separated
    weight_grams: Mapped[int | None] = mapped_column(Integer)
    # consignment
    seller_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"), index=True)
    bag_id: Mapped[int | None] = mapped_column(ForeignKey("bags.id"), index=True)
    # purchasing
    status: Mapped[Code] = mapped_column(default=0)  # see legacy_monolith.catalog.vocabulary
    reserved_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"), index=True)
    reserved_until: Mapped[LocalTime | None]
    sold_at: Mapped[LocalTime | None]
    # pricing job
    markdown_count: Mapped[int] = mapped_column(Integer, default=0)
    last_markdown_at: Mapped[LocalTime | None]
    # book-keeping
    created_at: Mapped[Created]
    updated_at: Mapped[Updated]
    deleted_at: Mapped[LocalTime | None]
