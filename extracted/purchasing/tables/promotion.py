"""Promotion codes, what they apply to, and who has used them."""

from __future__ import annotations

from sqlalchemy import Boolean, Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from extracted.purchasing.tables.base import TABLE_OPTIONS, Base, Cents, Created, GivenKey, Key, Reference, Utc, words
from extracted.purchasing.words import PROMOTION_KINDS


class Promotion(Base):
    """One code, a copy of the monolith's. ``basis_points`` of a percent code, ``amount_cents`` of an amount."""

    __tablename__ = "promotions"
    __table_args__ = (Index("ix_promotions_code", "code"), TABLE_OPTIONS)

    id: Mapped[GivenKey]
    code: Mapped[str] = mapped_column(String(40))  # upper case
    kind: Mapped[str] = mapped_column(words("kind", PROMOTION_KINDS))
    basis_points: Mapped[int | None] = mapped_column(Integer)
    amount_cents: Mapped[Cents | None]
    min_spend_cents: Mapped[Cents]
    starts_at: Mapped[Utc | None]
    ends_at: Mapped[Utc | None]
    per_user_limit: Mapped[int | None] = mapped_column(Integer)
    total_limit: Mapped[int | None] = mapped_column(Integer)
    stackable: Mapped[bool] = mapped_column(Boolean)
    active: Mapped[bool] = mapped_column(Boolean)
    removed_at: Mapped[Utc | None]


class PromotionUse(Base):
    """How often a code has been used: what purchasing owns of a promotion, and what a checkout with it locks."""

    __tablename__ = "promotion_uses"

    promotion_id: Mapped[GivenKey]
    used_count: Mapped[int] = mapped_column(Integer)


class PromotionBrand(Base):
    """The promotion applies to items of this brand (no row: to every brand)."""

    __tablename__ = "promotion_brands"

    promotion_id: Mapped[GivenKey]
    brand_id: Mapped[GivenKey]


class PromotionCategory(Base):
    """The promotion applies to items of this category and its subtree (no row: to every category)."""

    __tablename__ = "promotion_categories"

    promotion_id: Mapped[GivenKey]
    category_id: Mapped[GivenKey]


class PromotionRedemption(Base):
    """One use in one order; ``released_at`` is set when the order came to nothing."""

    __tablename__ = "promotion_redemptions"
    __table_args__ = (Index("ix_promotion_redemptions_promotion_user", "promotion_id", "user_id"), TABLE_OPTIONS)

    id: Mapped[Key]
    promotion_id: Mapped[Reference]
    user_id: Mapped[Reference]
    order_id: Mapped[Reference] = mapped_column(index=True)
    amount_cents: Mapped[Cents]
    created_at: Mapped[Created]
    released_at: Mapped[Utc | None]
