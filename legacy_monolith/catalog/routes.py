"""The public catalog: four reads. Changing the catalog is in ``staff``."""

from __future__ import annotations

from typing import Any

from flask import Blueprint
from sqlalchemy import select

from legacy_monolith.catalog import answers, representation
from legacy_monolith.catalog.filters import PARAMETERS, is_id, parse_filters
from legacy_monolith.catalog.search import find_items
from legacy_monolith.catalog.tree import read_path, read_tree
from legacy_monolith.catalog.vocabulary import ItemStatus
from legacy_monolith.models import Brand, Item
from legacy_monolith.web.endpoint import Call, endpoint
from legacy_monolith.web.errors import not_found

blueprint = Blueprint("catalog", __name__)


@blueprint.get("/api/items")
@endpoint("Items, filtered and sorted", parameters=PARAMETERS, answer=answers.ITEM_LIST, errors=(400,))
def items(call: Call) -> dict[str, Any]:
    filters = parse_filters(call.arguments)
    rows, total = find_items(call.session, filters)
    return {
        "items": [representation.summary(row) for row in rows],
        "page": filters.page,
        "per_page": filters.per_page,
        "total": total,
    }


@blueprint.get("/api/items/<item_id>")
@endpoint("One item, with its availability", answer=answers.ITEM_PAGE, errors=(404,))
def item(call: Call, item_id: str) -> dict[str, Any]:
    if not is_id(item_id):
        raise not_found("item")
    row = call.session.execute(
        select(Item, Brand)
        .outerjoin(Brand, Brand.id == Item.brand_id)
        .where(Item.id == int(item_id), Item.deleted_at.is_(None), Item.status != int(ItemStatus.PROCESSING))
    ).one_or_none()
    if row is None:
        raise not_found("item")
    found, its_brand = row
    return representation.page_of(found, its_brand, read_path(call.session, found.category_id))


@blueprint.get("/api/brands")
@endpoint("All brands", answer=answers.BRAND_LIST)
def brands(call: Call) -> dict[str, Any]:
    rows = call.session.scalars(select(Brand).where(Brand.deleted_at.is_(None)).order_by(Brand.slug))
    return {"brands": [representation.brand(row) for row in rows]}


@blueprint.get("/api/categories")
@endpoint("The category tree", answer=answers.CATEGORY_TREE)
def categories(call: Call) -> dict[str, Any]:
    return {"categories": read_tree(call.session).represent()}
