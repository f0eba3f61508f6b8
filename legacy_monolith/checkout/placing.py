"""The first step: one transaction that turns a cart into a pending order."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from legacy_monolith.accounts.addresses import as_text
from legacy_monolith.accounts.store_credit import Reason, book
from legacy_monolith.cart.content import line_of, own_cart
from legacy_monolith.catalog.tree import read_tree
from legacy_monolith.catalog.vocabulary import joined, pieces
from legacy_monolith.checkout.reservation import reserve
from legacy_monolith.checkout.totals import Totals, add_up
from legacy_monolith.clock import shop_now
from legacy_monolith.models import Address, Cart, CartItem, Item, Order, OrderItem, Payment, User
from legacy_monolith.money import ZERO
from legacy_monolith.orders.vocabulary import OrderStatus
from legacy_monolith.promotions.rules import Line, Outcome, apply_codes
from legacy_monolith.promotions.storage import read_rules, redeem, uses_of
from legacy_monolith.web.errors import conflict, invalid


@dataclass(frozen=True)
class Wish:
    """What the buyer asks for."""

    address_id: int | None
    use_store_credit: bool
    payment_source: str
    expected_total: Decimal | None = None


def place(session: Session, user_id: int, wish: Wish, reservation_minutes: int) -> Order:
    """A pending order with its items reserved, discounts and store credit booked, and the cart emptied.

    Raises ApiError 400 or 409 (then nothing has happened): cart empty, an item gone, a code refused, no address, or a
    total that is not the expected one.
    """
    cart = own_cart(session, user_id)
    session.refresh(cart, with_for_update=True)
    item_ids = list(session.scalars(select(CartItem.item_id).where(CartItem.cart_id == cart.id)))
    if not item_ids:
        raise conflict("cart_empty", "there is nothing in the cart")
    address = _address(session, user_id, wish.address_id)
    items = reserve(session, user_id, item_ids, reservation_minutes)
    lines = lines_of(session, items)
    outcome = _discounts(session, user_id, cart, lines)
    user = session.scalars(
        select(User).where(User.id == user_id).with_for_update().execution_options(populate_existing=True)
    ).one()
    totals = add_up(lines, outcome, user.store_credit if wish.use_store_credit else ZERO)
    if wish.expected_total is not None and wish.expected_total != totals.total:
        raise conflict("total_changed", f"the total is {totals.total:.2f} now", "expected_total")
    order = _write_order(session, user, address, items, outcome, totals)
    redeem(session, user_id, order.id, outcome.applied, totals.shipping_saved)
    if totals.store_credit_used > 0:
        book(session, user_id, -totals.store_credit_used, Reason.SPENT, order_id=order.id)
    if totals.to_pay > 0:
        key = f"order-{order.id}"
        session.add(
            Payment(order_id=order.id, amount=totals.to_pay, source=wish.payment_source, gateway_key=key, status=0)
        )
    session.execute(delete(CartItem).where(CartItem.cart_id == cart.id, CartItem.item_id.in_(item_ids)))
    cart.promo_codes = ""
    session.flush()
    return order


def lines_of(session: Session, items: list[Item]) -> list[Line]:
    tree = read_tree(session)
    return [line_of(item.id, item.price, item.brand_id, item.category_id, tree) for item in items]


def _address(session: Session, user_id: int, address_id: int | None) -> Address:
    wanted = address_id or session.scalar(select(User.default_address_id).where(User.id == user_id))
    address = session.get(Address, wanted) if wanted else None
    if address is None or address.user_id != user_id or address.deleted_at is not None:
        raise invalid("address_id", "an address of yours is needed: POST /api/addresses")
    return address


def _discounts(session: Session, user_id: int, cart: Cart, lines: list[Line]) -> Outcome:
    codes = pieces(cart.promo_codes)
    rules = read_rules(session, codes, lock=True)
    outcome = apply_codes(lines, rules, uses_of(session, user_id, rules), shop_now())
    missing = sorted(set(codes) - {rule.code for rule in rules})
    if missing:
        raise conflict("code_refused", f"there is no promotion code {missing[0]}", "promo_codes")
    if outcome.refused:
        raise conflict("code_refused", outcome.refused[0].message, "promo_codes")
    return outcome


def _write_order(
    session: Session, user: User, address: Address, items: list[Item], outcome: Outcome, totals: Totals
) -> Order:
    order = Order(
        user_id=user.id,
        address_id=address.id,
        ship_to=as_text(address),
        status=int(OrderStatus.PENDING),
        subtotal=totals.subtotal,
        discount=totals.discount,
        shipping=totals.shipping,
        total=totals.total,
        store_credit_used=totals.store_credit_used,
        promo_codes=joined([one.rule.code for one in outcome.applied]),
        placed_at=shop_now(),
    )
    session.add(order)
    session.flush()
    session.add_all(
        OrderItem(
            order_id=order.id,
            item_id=item.id,
            title=item.title,
            brand_name=item.brand_name,
            price=item.price,
            discount=outcome.discount_of(item.id),
        )
        for item in items
    )
    session.flush()
    return order
