"""Promotion codes, what they apply to, and who has used them."""

from __future__ import annotations

from sqlalchemy import ForeignKey, Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from legacy_monolith.models.base import TABLE_OPTIONS, Base, Code, Created, Key, LocalTime, Money, Updated
from legacy_monolith.money import ZERO


class Promotion(Base):
    """One code. Kind: 1 percent, 2 amount, 3 free shipping; ``value`` is percent or money accordingly."""

    __tablename__ = "promotions"

    id: Mapped[Key]
    code: Mapped[str] = mapped_column(String(40), unique=True)  # upper case
    name: Mapped[str] = mapped_column(String(120))
    kind: Mapped[Code]
    value: Mapped[Money] = mapped_column(default=ZERO)
    min_spend: Mapped[Money] = mapped_column(default=ZERO)
    starts_at: Mapped[LocalTime | None]
    ends_at: Mapped[LocalTime | None]
    per_user_limit: Mapped[int | None] = mapped_column(Integer)
    total_limit: Mapped[int | None] = mapped_column(Integer)
    used_count: Mapped[int] = mapped_column(Integer, default=0)  # hot: every checkout with the code writes it
    stackable: Mapped[Code] = mapped_column(default=0)  # 0 alone only, 1 with other stackable ones
    active: Mapped[Code] = mapped_column(default=1)
    created_at: Mapped[Created]
    updated_at: Mapped[Updated]
    deleted_at: Mapped[LocalTime | None]


class PromotionBrand(Base):
    """The promotion applies to items of this brand (no row: to every brand)."""

    __tablename__ = "promotion_brands"

    promotion_id: Mapped[int] = mapped_column(ForeignKey("promotions.id"), primary_key=True)
    brand_id: Mapped[int] = mapped_column(ForeignKey("brands.id"), primary_key=True, index=True)


class PromotionCategory(Base):
    """The promotion applies to items of this category and its subtree (no row: to every category)."""

    __tablename__ = "promotion_categories"

    promotion_id: Mapped[int] = mapped_column(ForeignKey("promotions.id"), primary_key=True)
    category_id: Mapped[int] = mapped_column(ForeignKey("categories.id"), primary_key=True, index=True)


class PromotionRedemption(Base):
    """One use in one order; ``released_at`` is set when the order came to nothing."""

    __tablename__ = "promotion_redemptions"
    __table_args__ = (Index("ix_promotion_redemptions_promotion_user", "promotion_id", "user_id"), TABLE_OPTIONS)

    id: Mapped[Key]
    promotion_id: Mapped[int] = mapped_column(ForeignKey("promotions.id"))
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"), index=True)
    amount: Mapped[Money]
    created_at: Mapped[Created]
    released_at: Mapped[LocalTime | None]
