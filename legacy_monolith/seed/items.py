"""Items: one wide row each, from one large random number."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from legacy_monolith.seed.catalog import Kind, brand_name
from legacy_monolith.seed.loader import Row
from legacy_monolith.seed.plan import AGE, ANCHOR, FAR, ITEMS_PER_BAG, STAFF, Plan
from legacy_monolith.seed.words import ADJECTIVES, CENTS, COLOURS, MATERIALS, SENTENCES, TAGS

COLUMNS = (
    "id",
    "title",
    "description",
    "price",
    "original_price",
    "brand_id",
    "brand_name",
    "category_id",
    "size",
    "colour",
    "condition_code",
    "tags",
    "photos",
    "weight_grams",
    "seller_id",
    "bag_id",
    "status",
    "reserved_by",
    "reserved_until",
    "sold_at",
    "markdown_count",
    "last_markdown_at",
    "created_at",
    "updated_at",
    "deleted_at",
)
#: Where in a row what later tables need is.
ID, TITLE, PRICE, BRAND_NAME, STATUS, SOLD_AT = 0, 1, 3, 6, 16, 19

LISTED, RESERVED, SOLD, RETURNED, WITHDRAWN, PROCESSING = 1, 2, 3, 4, 5, 0
#: Of 200: what is not listed.
SHARES = ((30, SOLD), (34, WITHDRAWN), (36, RETURNED), (40, PROCESSING), (41, RESERVED))

SECONDS = int(AGE.total_seconds())
BITS = 192


def items(plan: Plan, chunk: int, ids: range, kinds: Sequence[Kind], brand_names: Sequence[str]) -> list[Row]:
    """``brand_names[i]`` is the proper name of brand i (0 unused)."""
    draw = plan.random("items", chunk).getrandbits
    rows: list[Row] = []
    for item_id in ids:
        dice = draw(BITS)
        dice, kind_at = divmod(dice, len(kinds))
        dice, brand_id = divmod(dice, plan.brands + 1)  # 0: no brand
        dice, adjective = divmod(dice, len(ADJECTIVES))
        dice, material = divmod(dice, len(MATERIALS))
        dice, colour = divmod(dice, len(COLOURS) + 1)
        dice, share = divmod(dice, 200)
        dice, second = divmod(dice, SECONDS)
        dice, sentence = divmod(dice, len(SENTENCES))
        dice, size = divmod(dice, 60)
        dice, cents = divmod(dice, len(CENTS))
        dice, steps = divmod(dice, 1000)
        dice, extra = divmod(dice, 16)
        dice, tags = divmod(dice, len(TAGS) * len(TAGS) * 4)
        kind = kinds[kind_at]
        word = COLOURS[colour] if colour < len(COLOURS) else None
        # most things are cheap, a few dear
        euros = 6 + steps * steps * steps // 2_600_000
        created = ANCHOR - timedelta(seconds=second)
        bag_id = (item_id - 1) // ITEMS_PER_BAG + 1
        status = next((status for bound, status in SHARES if share < bound), LISTED)
        title = f"{ADJECTIVES[adjective].capitalize()} {MATERIALS[material]} {kind.noun.lower()}"
        if extra == 0 and word:
            title = f"{title} in {word}"
        rows.append(
            (
                item_id,
                title,
                f"{SENTENCES[sentence]} {SENTENCES[(sentence + extra) % len(SENTENCES)]}" if extra else None,
                f"{euros}.{CENTS[cents]}",
                f"{euros * (2 + extra % 4)}.00" if extra > 2 else None,
                brand_id or None,
                _messy(brand_names[brand_id], extra) if brand_id else None,
                kind.category_id,
                kind.sizes[size % len(kind.sizes)],
                word,
                1 + size % 4,
                _tags(tags),
                ",".join([f"/photos/{item_id}-{n}.jpg" for n in range(1, 2 + extra % 4)]) if extra != 5 else None,
                100 + steps * 2 if extra > 7 else None,
                plan.bag_owner(bag_id),
                bag_id,
                status,
                STAFF + 1 + item_id % plan.customers if status == RESERVED else None,
                FAR if status == RESERVED else None,
                ANCHOR if status == SOLD else None,
                0,
                None,
                created,
                created,
                ANCHOR if share == 199 else None,
            )
        )
    return rows


def all_brand_names(plan: Plan) -> list[str]:
    return ["", *(brand_name(brand_id) for brand_id in range(1, plan.brands + 1))]


def _tags(dice: int) -> str:
    """None to two of them."""
    dice, first = divmod(dice, len(TAGS))
    count, second = divmod(dice, len(TAGS))
    if count == 0:
        return ""
    return TAGS[first] if count == 1 or first == second else f"{TAGS[first]},{TAGS[second]}"


def _messy(name: str, dice: int) -> str:
    """The copied name as ten years of hands have typed it."""
    match dice:
        case 1:
            return name.upper()
        case 2:
            return f" {name}"
        case 3:
            return f"{name.lower()}  "
        case _:
            return name
