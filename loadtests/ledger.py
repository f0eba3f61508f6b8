"""Is every acknowledged write on the owner, exactly once?

    python -m loadtests.ledger OUT --legacy-db URL --gateway URL

| kind | found once means |
|---|---|
| ``signup`` | one account of that address, with the acknowledged id |
| ``session`` | one log-in of that token |
| ``address`` | one address with that (unique) first line |
| ``like``, ``unlike`` | one favourite, or none, as the last acknowledged one says |
| ``cart_put``, ``cart_take``, ``cart_empty`` | in the cart once, or not, as the last acknowledged write says |
| ``order`` | the idempotency key has made the acknowledged order, its items, its total; no item of it is sold twice |
| ``charge`` | the gateway took the acknowledged amount under the order's key, once (and nothing for a declined card) |

Writes that got no answer may have happened or not: they are counted as ``uncertain`` and only looked at for doubles.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from loadtests import writes as book
from loadtests.owner import CANCELLED, Holdings, OwnerUnreachable, Wanted, read_holdings
from loadtests.writes import Write

MOST_EXAMPLES = 20
_STATES = {"like": "favourites", "unlike": "favourites", "cart_put": "cart", "cart_take": "cart"}


@dataclass
class Tally:
    """Of one kind of write."""

    acknowledged: int = 0
    found: int = 0
    lost: int = 0
    doubled: int = 0


@dataclass
class Ledger:
    """``acknowledged`` = ``found`` + ``lost`` + ``doubled`` writes. ``uncertain`` ones got no answer."""

    uncertain: int = 0
    kinds: dict[str, Tally] = field(default_factory=dict)
    examples: list[str] = field(default_factory=list)

    def judge(self, kind: str, count: int, example: str) -> None:
        """One acknowledged write was found ``count`` times."""
        tally = self.kinds.setdefault(kind, Tally())
        tally.acknowledged += 1
        if count == 1:
            tally.found += 1
            return
        if count == 0:
            tally.lost += 1
        else:
            tally.doubled += 1
        if len(self.examples) < MOST_EXAMPLES:
            self.examples.append(f"{kind} {'lost' if count == 0 else 'doubled'}: {example}")

    def _sum(self, name: str) -> int:
        return sum(getattr(tally, name) for tally in self.kinds.values())

    @property
    def acknowledged(self) -> int:
        return self._sum("acknowledged")

    @property
    def found(self) -> int:
        return self._sum("found")

    @property
    def lost(self) -> int:
        return self._sum("lost")

    @property
    def doubled(self) -> int:
        return self._sum("doubled")

    @property
    def ok(self) -> bool:
        return self.lost == 0 and self.doubled == 0

    def as_json(self) -> dict[str, Any]:
        numbers = {name: self._sum(name) for name in ("acknowledged", "found", "lost", "doubled")}
        kinds = {kind: asdict(tally) for kind, tally in sorted(self.kinds.items())}
        return {**numbers, "uncertain": self.uncertain, "kinds": kinds, "examples": self.examples}


def check(folder: Path | str, legacy_db: str, gateway: str | None) -> Ledger:
    """Look for a run's acknowledged writes; call it when the traffic has ended. Blocks for seconds.

    Without a gateway charges are not checked. Raises OwnerUnreachable, FileNotFoundError, ValueError (damaged book).
    """
    noted = list(book.read(Path(folder)))
    return compare(noted, read_holdings(legacy_db, gateway, wanted(noted)), with_charges=gateway is not None)


def wanted(noted: Iterable[Write]) -> Wanted:
    """What has to be looked up to judge these writes."""
    noted = list(noted)
    return Wanted(
        emails=[write.key for write in noted if write.kind == "signup"],
        users=sorted({write.user for write in noted if write.user}),
        token_hashes=[write.entity for write in noted if write.kind == "session"],
        items=sorted({item for write in noted if write.kind == "order" for item in write.data.get("items", ())}),
    )


def compare(noted: Iterable[Write], held: Holdings, *, with_charges: bool = True) -> Ledger:
    """Pure: the client's book against what the owner holds."""
    ledger = Ledger()
    noted = list(noted)
    for write in noted:
        if not write.acknowledged:
            ledger.uncertain += 1
            if write.kind == "order" and len(held.order_of_key.get(write.key, ())) > 1:
                ledger.judge("order", 2, f"key {write.key} has several orders")
        elif write.kind == "signup":
            ids = held.users.get(write.key, [])
            known = [user for user in ids if str(user) == write.entity]
            ledger.judge(write.kind, len(ids) if known else 0, f"account {write.entity} ({write.key})")
        elif write.kind == "session":
            ledger.judge(write.kind, held.sessions[write.entity], f"log-in of user {write.user}")
        elif write.kind == "address":
            ledger.judge(write.kind, held.addresses[write.key], f"address {write.entity} of user {write.user}")
        elif write.kind == "order":
            count, why = _order(write, held)
            ledger.judge(write.kind, count, f"order {write.entity} of user {write.user}, key {write.key}: {why}")
            if with_charges:
                _charge(ledger, write, held)
    _judge_states(ledger, noted, held)
    return ledger


def _order(write: Write, held: Holdings) -> tuple[int, str]:
    made = held.order_of_key.get(write.key, [])
    if made != [int(write.entity)]:
        return len(made) if len(made) > 1 else 0, f"the key has made {made}"
    order = held.orders.get(int(write.entity))
    if order is None or order.user != write.user:
        return 0, "there is no such order of this user"
    cancelled = write.data["status"] == "cancelled"
    if order.total != write.data["total"] or (order.status == CANCELLED) != cancelled:
        return 0, f"acknowledged {write.data['status']}, {write.data['total']}; is status {order.status}, {order.total}"
    if sorted(order.items) != sorted(write.data["items"]):
        twice = len(order.items) > len(write.data["items"])
        return 2 if twice else 0, f"acknowledged items {write.data['items']}, has {list(order.items)}"
    sold = [item for item in order.items if held.sold[item] > 1]
    return (2, f"items sold more than once: {sold}") if sold and not cancelled else (1, "")


def _charge(ledger: Ledger, write: Write, held: Holdings) -> None:
    """By the key that the shop uses at the gateway."""
    taken = held.charges.get(f"order-{write.entity}", [])
    what = f"of order {write.entity} (user {write.user})"
    payment = write.data.get("charge") or {}
    if write.data["status"] == "cancelled":
        if taken:
            ledger.judge("charge", 2, f"{what}: the card was declined, yet {len(taken)} charges were captured")
    elif payment:
        right = [
            charge
            for charge in taken
            if charge.id == payment["charge_id"] and charge.amount_cents == int(Decimal(payment["amount"]) * 100)
        ]
        ledger.judge("charge", len(taken) if right else 0, f"{what}: acknowledged {payment}, the gateway has {taken}")


def _judge_states(ledger: Ledger, noted: Iterable[Write], held: Holdings) -> None:
    """Favourites and carts: of several writes to one place the last one says what must be there now."""
    last: dict[tuple[str, str], tuple[str, bool | None]] = {}  # (place, "user-item") -> (kind, there? None: unsure)
    of_user: dict[int, set[str]] = {}
    acknowledged: list[tuple[str, str, str]] = []
    for write in noted:
        if write.kind in _STATES:
            place = _STATES[write.kind]
            if place == "cart":
                of_user.setdefault(write.user, set()).add(write.key)
            if write.acknowledged:
                acknowledged.append((write.kind, place, write.key))
            there = write.kind in ("like", "cart_put") if write.acknowledged else None
            last[place, write.key] = (write.kind, there)
        elif write.kind in ("cart_empty", "order"):
            # An order, also one whose card was declined, takes everything out of the cart.
            there = False if write.acknowledged else None
            for key in of_user.get(write.user, ()):
                last["cart", key] = ("cart_empty", there)
            if write.acknowledged and write.kind == "cart_empty":
                ledger.judge("cart_empty", 1, "")
    counts = {"favourites": held.favourites, "cart": held.cart}
    blamed: set[tuple[str, str]] = set()
    # Backwards, so that the last write of a place is the one that answers for it.
    for kind, place, key in reversed(acknowledged):
        _, there = last[place, key]
        count = counts[place][key]
        right = there is None or count == int(there)
        if right or (place, key) in blamed:
            ledger.judge(kind, 1, "")
        else:
            blamed.add((place, key))
            expected = "there" if there else "gone"
            ledger.judge(kind, 2 if count > 1 else 0, f"{place} {key} (user-item) should be {expected}, found {count}")


def main(arguments: list[str] | None = None) -> int:
    """Exit status: 0 all found once, 1 something lost or doubled (or the owner can't be read), 2 wrong usage."""
    parser = argparse.ArgumentParser(prog="python -m loadtests.ledger", description="Is every write there, once?")
    parser.add_argument("out", type=Path, help="the run's folder")
    parser.add_argument("--legacy-db", required=True, help="mysql://user:password@host:port/schema")
    parser.add_argument(
        "--gateway", help="the payment gateway, http://127.0.0.1:PORT; without it charges are not checked"
    )
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    try:
        ledger = check(options.out, options.legacy_db, options.gateway)
    except (FileNotFoundError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except OwnerUnreachable as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(json.dumps(ledger.as_json()) if options.json else text(ledger))
    return 0 if ledger.ok else 1


def text(ledger: Ledger) -> str:
    """For a person."""
    lines = [*ledger.examples, f"{'kind':<12}{'acknowledged':>14}{'found':>10}{'lost':>8}{'doubled':>9}"]
    for kind, tally in sorted(ledger.kinds.items()):
        lines.append(f"{kind:<12}{tally.acknowledged:>14,}{tally.found:>10,}{tally.lost:>8,}{tally.doubled:>9,}")
    lines.append(
        f"{'all':<12}{ledger.acknowledged:>14,}{ledger.found:>10,}{ledger.lost:>8,}{ledger.doubled:>9,}"
        f"   ({ledger.uncertain:,} more got no answer)"
    )
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
