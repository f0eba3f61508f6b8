"""Addresses of the account."""

from __future__ import annotations

from typing import Any

from flask import Blueprint
from marshmallow import Schema, fields, validate
from sqlalchemy import select

from legacy_monolith.clock import shop_now
from legacy_monolith.models import Address
from legacy_monolith.web.answer import Reply
from legacy_monolith.web.endpoint import Access, Call, endpoint
from legacy_monolith.web.errors import not_found

blueprint = Blueprint("addresses", __name__)


class AddressBody(Schema):
    name = fields.String(required=True, validate=validate.Length(1, 120))
    line1 = fields.String(required=True, validate=validate.Length(1, 160))
    line2 = fields.String(load_default=None, allow_none=True, validate=validate.Length(max=160))
    city = fields.String(required=True, validate=validate.Length(1, 80))
    region = fields.String(load_default=None, allow_none=True, validate=validate.Length(max=80))
    postal_code = fields.String(required=True, validate=validate.Length(1, 20))
    country = fields.String(required=True, validate=validate.Regexp(r"^[A-Z]{2}\Z", error="two capital letters"))
    default = fields.Boolean(load_default=False)


def represent(address: Address, default_id: int | None) -> dict[str, Any]:
    return {
        "id": address.id,
        "name": address.name,
        "line1": address.line1,
        "line2": address.line2,
        "city": address.city,
        "region": address.region,
        "postal_code": address.postal_code,
        "country": address.country,
        "default": address.id == default_id,
    }


def as_text(address: Address) -> str:
    """How an order keeps it."""
    town = " ".join(part for part in (address.postal_code, address.city, address.region) if part)
    lines = (address.name, address.line1, address.line2, town, address.country)
    return "\n".join(line for line in lines if line)


def own_address(call: Call, address_id: int) -> Address:
    """Raises 404 for those of others, too."""
    address = call.session.get(Address, address_id)
    if address is None or address.user_id != call.user.id or address.deleted_at is not None:
        raise not_found("address")
    return address


def _write(call: Call, address: Address) -> dict[str, Any]:
    for name, value in call.body.items():
        if name != "default":
            setattr(address, name, value)
    call.session.add(address)
    call.session.flush()
    if call.body["default"] or call.user.default_address_id is None:
        call.user.default_address_id = address.id
    return represent(address, call.user.default_address_id)


@blueprint.get("/api/addresses")
@endpoint("Addresses of the account", access=Access.USER, errors=(401,))
def addresses(call: Call) -> dict[str, Any]:
    rows = call.session.scalars(
        select(Address).where(Address.user_id == call.user.id, Address.deleted_at.is_(None)).order_by(Address.id)
    )
    return {"addresses": [represent(row, call.user.default_address_id) for row in rows]}


@blueprint.post("/api/addresses")
@endpoint(
    "Add an address; the first one becomes the default",
    access=Access.USER,
    body=AddressBody,
    status=201,
    errors=(400, 401),
)
def add_address(call: Call) -> dict[str, Any]:
    return _write(call, Address(user_id=call.user.id))


@blueprint.put("/api/addresses/<int:address_id>")
@endpoint("Change an address", access=Access.USER, body=AddressBody, errors=(400, 401, 404))
def change_address(call: Call, address_id: int) -> dict[str, Any]:
    return _write(call, own_address(call, address_id))


@blueprint.delete("/api/addresses/<int:address_id>")
@endpoint("Remove an address", access=Access.USER, status=204, errors=(401, 404))
def remove_address(call: Call, address_id: int) -> Reply:
    own_address(call, address_id).deleted_at = shop_now()
    if call.user.default_address_id == address_id:
        call.user.default_address_id = None
    return Reply(None)
