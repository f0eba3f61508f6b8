"""Promotions as staff see and make them, and the check that anyone may do."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from flask import Blueprint
from marshmallow import Schema, ValidationError, fields, validate, validates_schema
from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError

from legacy_monolith import money
from legacy_monolith.clock import SHOP_ZONE, iso, shop_now
from legacy_monolith.models import Brand, Category, Promotion, PromotionBrand, PromotionCategory
from legacy_monolith.promotions.rules import Kind
from legacy_monolith.promotions.storage import scopes
from legacy_monolith.web.answer import Reply
from legacy_monolith.web.endpoint import Access, Call, endpoint
from legacy_monolith.web.errors import conflict, invalid, not_found
from legacy_monolith.web.paging import PageQuery, window

blueprint = Blueprint("promotions", __name__)

KINDS = {kind.word: kind for kind in Kind}


class PromotionBody(Schema):
    code = fields.String(
        required=True, validate=validate.Regexp(r"^[A-Za-z0-9-]{3,40}\Z", error="3-40 letters, digits, -")
    )
    name = fields.String(required=True, validate=validate.Length(1, 120))
    kind = fields.String(required=True, validate=validate.OneOf(list(KINDS)))
    value = fields.Decimal(places=2, load_default=money.ZERO, validate=validate.Range(money.ZERO, money.LARGEST))
    min_spend = fields.Decimal(places=2, load_default=money.ZERO, validate=validate.Range(money.ZERO, money.LARGEST))
    starts_at = fields.AwareDateTime(load_default=None, allow_none=True, default_timezone=SHOP_ZONE)
    ends_at = fields.AwareDateTime(load_default=None, allow_none=True, default_timezone=SHOP_ZONE)
    per_user_limit = fields.Integer(load_default=None, allow_none=True, validate=validate.Range(1))
    total_limit = fields.Integer(load_default=None, allow_none=True, validate=validate.Range(1))
    stackable = fields.Boolean(load_default=False)
    active = fields.Boolean(load_default=True)
    brands = fields.List(fields.Integer(), load_default=list)
    categories = fields.List(fields.Integer(), load_default=list)

    @validates_schema
    def value_fits_kind(self, data: dict[str, Any], **_: Any) -> None:
        if data["kind"] == "percent" and not 0 < data["value"] <= Decimal(100):
            raise ValidationError("a percentage is more than 0 and at most 100", "value")
        if data["kind"] == "amount" and data["value"] <= 0:
            raise ValidationError("an amount is more than 0", "value")
        if data["starts_at"] and data["ends_at"] and data["ends_at"] <= data["starts_at"]:
            raise ValidationError("the end comes after the start", "ends_at")


def _represent(row: Promotion, brands: list[int], categories: list[int]) -> dict[str, Any]:
    return {
        "id": row.id,
        "code": row.code,
        "name": row.name,
        "kind": Kind(row.kind).word,
        "value": money.text(row.value),
        "min_spend": money.text(row.min_spend),
        "starts_at": iso(row.starts_at),
        "ends_at": iso(row.ends_at),
        "per_user_limit": row.per_user_limit,
        "total_limit": row.total_limit,
        "used_count": row.used_count,
        "stackable": row.stackable == 1,
        "active": row.active == 1,
        "brands": sorted(brands),
        "categories": sorted(categories),
    }


def _find(call: Call, code: str, *, lock: bool = False) -> Promotion:
    statement = select(Promotion).where(Promotion.code == code.upper(), Promotion.deleted_at.is_(None))
    row = call.session.scalar(statement.with_for_update() if lock else statement)
    if row is None:
        raise not_found("promotion")
    return row


def _write(call: Call, row: Promotion) -> dict[str, Any]:
    body = call.body
    row.code, row.name, row.kind = body["code"].upper(), body["name"], int(KINDS[body["kind"]])
    row.value, row.min_spend = body["value"], body["min_spend"]
    for name in ("starts_at", "ends_at"):
        moment = body[name]
        setattr(row, name, moment and moment.astimezone(SHOP_ZONE).replace(tzinfo=None, microsecond=0))
    row.per_user_limit, row.total_limit = body["per_user_limit"], body["total_limit"]
    row.stackable, row.active = int(body["stackable"]), int(body["active"])
    brands, categories = sorted(set(body["brands"])), sorted(set(body["categories"]))
    _known(call, Brand, "brands", brands)
    _known(call, Category, "categories", categories)
    try:
        with call.session.begin_nested():
            call.session.add(row)
    except IntegrityError as error:
        raise conflict("code_taken", "there is a promotion with this code already", "code") from error
    for table in (PromotionBrand, PromotionCategory):
        call.session.execute(delete(table).where(table.promotion_id == row.id))
    call.session.add_all(PromotionBrand(promotion_id=row.id, brand_id=each) for each in brands)
    call.session.add_all(PromotionCategory(promotion_id=row.id, category_id=each) for each in categories)
    return _represent(row, brands, categories)


def _known(call: Call, table: type[Brand] | type[Category], field: str, ids: list[int]) -> None:
    known = set(call.session.scalars(select(table.id).where(table.id.in_(ids)))) if ids else set()
    missing = [each for each in ids if each not in known]
    if missing:
        raise invalid(field, f"{field} are not known: {', '.join(map(str, missing))}")


@blueprint.get("/api/promotions")
@endpoint("All promotions, newest first", access=Access.STAFF, query=PageQuery, errors=(400, 401, 403))
def promotions(call: Call) -> dict[str, Any]:
    limit, offset = window(call.query)
    rows = list(
        call.session.scalars(
            select(Promotion)
            .where(Promotion.deleted_at.is_(None))
            .order_by(Promotion.id.desc())
            .limit(limit)
            .offset(offset)
        )
    )
    brands, categories = scopes(call.session, [row.id for row in rows])
    return {"promotions": [_represent(row, brands.get(row.id, []), categories.get(row.id, [])) for row in rows]}


@blueprint.get("/api/promotions/<code>")
@endpoint("One promotion, by its code", errors=(404,))
def promotion(call: Call, code: str) -> dict[str, Any]:
    row = _find(call, code)
    brands, categories = scopes(call.session, [row.id])
    return _represent(row, brands.get(row.id, []), categories.get(row.id, []))


@blueprint.post("/api/promotions")
@endpoint("Make a promotion", access=Access.STAFF, body=PromotionBody, status=201, errors=(400, 401, 403, 409))
def make(call: Call) -> dict[str, Any]:
    return _write(call, Promotion(used_count=0))


@blueprint.put("/api/promotions/<code>")
@endpoint("Change a promotion", access=Access.STAFF, body=PromotionBody, errors=(400, 401, 403, 404, 409))
def change(call: Call, code: str) -> dict[str, Any]:
    return _write(call, _find(call, code, lock=True))


@blueprint.delete("/api/promotions/<code>")
@endpoint("Remove a promotion", access=Access.STAFF, status=204, errors=(401, 403, 404))
def remove(call: Call, code: str) -> Reply:
    _find(call, code, lock=True).deleted_at = shop_now()
    return Reply(None)
