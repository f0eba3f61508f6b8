"""Where an order goes."""

from __future__ import annotations

from sqlalchemy.orm import Session

from extracted.purchasing.service import Service
from extracted.purchasing.tables import Address, User
from extracted.purchasing.web.errors import invalid
from extracted.purchasing.web.late import Missing


def as_text(address: Address) -> str:
    """How an order keeps it."""
    town = " ".join(part for part in (address.postal_code, address.city, address.region) if part)
    lines = (address.name, address.line1, address.line2, town, address.country)
    return "\n".join(line for line in lines if line)


def find_address(
    session: Session, service: Service, user_id: int, address_id: int | None, asker: dict[str, str]
) -> Address:
    """The one asked for, or else the user's default. Raises 400, and Missing for one that may be too new."""
    default_id = session.get_one(User, user_id, populate_existing=True).default_address_id
    wanted = address_id or default_id
    address = session.get(Address, wanted) if wanted else None
    error = invalid("address_id", "an address of yours is needed: POST /api/addresses")
    if address is None or (address.removed_at is not None and not address_id):
        raise Missing(error, lambda: _has_address(service, address_id, default_id, asker))
    if address.user_id != user_id or address.removed_at is not None:
        raise error
    return address


def _has_address(service: Service, address_id: int | None, default_id: int | None, asker: dict[str, str]) -> bool:
    if address_id:
        return address_id in service.shop.address_ids(asker)
    account = service.shop.account(asker)
    return account is not None and account["default_address_id"] not in (None, default_id)
