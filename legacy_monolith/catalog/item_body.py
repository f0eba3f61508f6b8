"""What staff say about an item."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, fields, validate
from sqlalchemy import select

from legacy_monolith import money
from legacy_monolith.catalog.vocabulary import CONDITIONS, joined
from legacy_monolith.models import Brand, Category, Item
from legacy_monolith.web.endpoint import Call
from legacy_monolith.web.errors import invalid

_WORD = validate.Regexp(r"^[^,]*[^, ][^,]*\Z", error="no comma, not blank")


class ItemBody(Schema):
    title = fields.String(required=True, validate=validate.Length(1, 200))
    description = fields.String(allow_none=True, validate=validate.Length(max=5000))
    price = fields.Decimal(places=2, required=True, validate=validate.Range(money.CENT, money.LARGEST))
    original_price = fields.Decimal(places=2, allow_none=True, validate=validate.Range(money.CENT, money.LARGEST))
    brand_id = fields.Integer(allow_none=True)
    category_id = fields.Integer(required=True)
    size = fields.String(allow_none=True, validate=validate.Length(1, 20))
    colour = fields.String(allow_none=True, validate=validate.Length(1, 30))
    condition = fields.String(required=True, validate=validate.OneOf(list(CONDITIONS)))
    tags = fields.List(fields.String(validate=[validate.Length(1, 30), _WORD]), validate=validate.Length(max=12))
    photos = fields.List(fields.String(validate=[validate.Length(1, 200), _WORD]), validate=validate.Length(max=20))
    weight_grams = fields.Integer(allow_none=True, validate=validate.Range(1))


class ItemChange(ItemBody):
    """The same, each field as one likes."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{**options, "partial": True})


def write(call: Call, item: Item) -> None:
    """The body's fields into the row. Raises 400 for an unknown brand or category."""
    body = dict(call.body)
    if "category_id" in body and call.session.get(Category, body["category_id"]) is None:
        raise invalid("category_id", f"there is no category {body['category_id']}")
    if "brand_id" in body:
        item.brand_name = None
        if body["brand_id"] is not None:
            name = call.session.scalar(select(Brand.name).where(Brand.id == body["brand_id"]))
            if name is None:
                raise invalid("brand_id", f"there is no brand {body['brand_id']}")
            item.brand_name = name
    if "condition" in body:
        item.condition_code = int(CONDITIONS[body.pop("condition")])
    for name in ("tags", "photos"):
        if name in body:
            setattr(item, name, joined([piece.strip(" ") for piece in body.pop(name)]))
    for name, value in body.items():
        setattr(item, name, value)
