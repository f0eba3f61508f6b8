"""The step that turns a cart into a pending order: one transaction."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from extracted.purchasing import money
from extracted.purchasing.cart.card import pieces
from extracted.purchasing.cart.content import line_of, own_cart
from extracted.purchasing.cart.tree import read_parents
from extracted.purchasing.checkout.address import as_text, find_address
from extracted.purchasing.checkout.reservation import reserve
from extracted.purchasing.checkout.totals import Totals, add_up
from extracted.purchasing.clock import utc_now
from extracted.purchasing.credit.booking import book, lock_balance
from extracted.purchasing.identity import identify
from extracted.purchasing.promotions.rules import Line, Outcome, apply_codes
from extracted.purchasing.promotions.storage import read_rules, redeem, unknown_code, uses_of
from extracted.purchasing.service import Service
from extracted.purchasing.tables import Address, Cart, CartItem, Item, Order, OrderItem, Payment
from extracted.purchasing.web.errors import conflict


@dataclass(frozen=True)
class Wish:
    """What the buyer asks for."""

    address_id: int | None
    use_store_credit: bool
    payment_source: str
    expected_total: Decimal | None = None


def place(session: Session, service: Service, user_id: int, wish: Wish, asker: dict[str, str]) -> Order:
    """A pending order with its items reserved, discounts and store credit booked, and the cart emptied.

    Raises ApiError 400 or 409, and Missing (then nothing has happened): cart empty, an item gone, a code refused, no
    address, or a total that is not the expected one.
    """
    cart = own_cart(session, user_id)
    session.refresh(cart, with_for_update=True)
    item_ids = list(session.scalars(select(CartItem.item_id).where(CartItem.cart_id == cart.id)))
    if not item_ids:
        raise conflict("cart_empty", "there is nothing in the cart")
    address = find_address(session, service, user_id, wish.address_id, asker)
    reserve(session, user_id, item_ids, service.settings.reservation_minutes)
    items = list(session.scalars(select(Item).where(Item.id.in_(item_ids)).order_by(Item.id)))
    lines = lines_of(session, items)
    outcome = _discounts(session, service, user_id, cart, lines)
    balance = lock_balance(session, user_id)
    credit = balance.balance_cents if balance is not None and wish.use_store_credit else 0
    totals = add_up(lines, outcome, credit)
    if wish.expected_total is not None and wish.expected_total * 100 != totals.total:
        raise conflict("total_changed", f"the total is {money.text(totals.total)} now", "expected_total")
    order = _write_order(session, user_id, address, items, outcome, totals)
    redeem(session, user_id, order.id, outcome.applied, totals.shipping_saved)
    if totals.store_credit_used > 0:
        book(session, user_id, -totals.store_credit_used, "spent", order_id=order.id)
    if totals.to_pay > 0:
        key = f"order-{order.id}"
        session.add(Payment(order_id=order.id, amount_cents=totals.to_pay, source=wish.payment_source, gateway_key=key))
    session.execute(delete(CartItem).where(CartItem.cart_id == cart.id, CartItem.item_id.in_(item_ids)))
    cart.codes = []
    session.flush()
    return order


def lines_of(session: Session, items: list[Item]) -> list[Line]:
    parents = read_parents(session)
    return [line_of(item.id, item.price_cents, item.brand_id, item.category_id, parents) for item in items]


def _discounts(session: Session, service: Service, user_id: int, cart: Cart, lines: list[Line]) -> Outcome:
    codes = pieces(cart.codes)
    rules = read_rules(session, codes, lock=True)
    outcome = apply_codes(lines, rules, uses_of(session, user_id, rules), utc_now())
    missing = sorted(set(codes) - {rule.code for rule in rules})
    if missing:
        error = conflict("code_refused", f"there is no promotion code {missing[0]}", "promo_codes")
        raise unknown_code(service, missing[0], error)
    if outcome.refused:
        raise conflict("code_refused", outcome.refused[0].message, "promo_codes")
    return outcome


def _write_order(
    session: Session, user_id: int, address: Address, items: list[Item], outcome: Outcome, totals: Totals
) -> Order:
    order = Order(
        user_id=user_id,
        address_id=address.id,
        ship_to=as_text(address),
        status="pending",
        totals=totals.lines(),
        total_cents=totals.total,
        codes=[one.rule.code for one in outcome.applied],
        placed_at=utc_now(),
    )
    session.add(order)
    session.flush()
    order.uuid = identify("order", order.id)
    session.add_all(
        OrderItem(
            order_id=order.id,
            item_id=item.id,
            title=item.title,
            brand_name=item.legacy_brand_name,
            price_cents=item.price_cents,
            discount_cents=outcome.discount_of(item.id),
        )
        for item in items
    )
    session.flush()
    return order
