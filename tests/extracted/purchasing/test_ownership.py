"""The toolkit's own fence around both sides: what stays on legacy goes on when purchasing belongs to the service."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from cdc.ownership.arm import arm, check, disarm
from cdc.ownership.proof import prove
from cdc.ownership.side import Sides
from contracts.purchasing import CONTRACT
from contracts.purchasing_people import ADDRESS, Person, buyer, new_code, new_items, staff
from contracts.run import Patience, run_on
from contracts.shape import check_error
from legacy_monolith.jobs import context
from legacy_monolith.jobs.markdown import mark_down
from legacy_monolith.jobs.reservations import expire_reservations
from strangler.config.load import load
from strangler.dev.server import PrivateServer

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def fenced(
    mysql_legacy: PrivateServer, tmp_path_factory: pytest.TempPathFactory, open_purchasing_world: Any
) -> Iterator[Any]:
    """Armed while legacy owns, then moved to the service."""
    mapping = load("strangler.toml").capabilities["purchasing"].mapping("purchasing")
    with open_purchasing_world(mysql_legacy, tmp_path_factory.mktemp("fenced")) as world:
        sides = Sides(mysql_legacy.database(world.legacy_schema), mysql_legacy.database(world.new_schema))
        assert not [way for way in prove(mapping, sides) if way.lost]
        arm(mapping, sides)
        assert check(mapping, sides) == []
        person = buyer(world.visitor())
        check_error(person.ask("POST", "/api/bags", {}), 503, "not_owner", None)
        new_items(staff(world.legacy_visitor()), "5.00")
        world.sql("UPDATE strangler.ownership SET owner = 'new', token = token + 1 WHERE capability = 'purchasing'")
        ((token,),) = set(world.sql("SELECT token FROM strangler.ownership WHERE capability = 'purchasing'"))
        world.streams.run()
        world.streams.owner, world.streams.token = "new", token
        world.streams.run()
        yield world
        world.streams.owner = "legacy"
        world.sql("UPDATE strangler.ownership SET owner = 'legacy' WHERE capability = 'purchasing'")
        disarm("purchasing", sides)


def test_the_contract_holds_behind_the_fence(fenced: Any) -> None:
    elsewhere = {"new": fenced.client(fenced.monolith)}
    report = run_on(CONTRACT, {"new": fenced.client(fenced.app)}, Patience(attempts=1), elsewhere)
    assert not report.differences, report.text()


def test_what_stays_on_legacy_goes_on_and_what_moved_is_refused_whole(fenced: Any) -> None:
    worker, person = staff(fenced.visitor()), buyer(fenced.visitor())
    late, other = new_items(worker, "10.00", "200.00")
    person.put_in(late)
    person.do("POST", "/api/checkout/reservation", None, 201)
    fenced.sql(f"UPDATE stock SET reserved_until = '2020-01-01 00:00:00' WHERE item_id = {late}")
    fenced.streams.run()
    worker.do("PATCH", f"/api/items/{other}", {"price": "150.00", "title": "Better shirt"})
    worker.do("PATCH", f"/api/items/{late}", {"colour": "red"})
    person.do("PATCH", "/api/me", {"name": "New Name"})
    person.do("POST", "/api/addresses", ADDRESS, 201)
    code = new_code(worker, kind="percent", value="10.00")
    body = {"code": code, "name": "changed", "kind": "percent", "value": "20.00"}
    worker.do("PUT", f"/api/promotions/{code}", body)
    worker.do("DELETE", f"/api/promotions/{code}", None, 204)
    fenced.sql(f"UPDATE {fenced.legacy_schema}.items SET created_at = '2020-01-01' WHERE id = {other}")
    context.enter(fenced.shop)
    assert mark_down() >= 1
    with pytest.raises(Exception, match="strangler"):
        expire_reservations()
    ((mails,),) = fenced.sql("SELECT COUNT(*) FROM mails WHERE template = 'reservation_expired'", fenced.legacy_schema)
    assert mails == 0
    there = Person(fenced.legacy_visitor(), person.token)
    assert there.ask("POST", "/api/cart/items", {"item_id": other}).status == 500
    assert Person(fenced.legacy_visitor(), worker.token).ask("DELETE", f"/api/items/{other}").status == 500
    fenced.streams.run()
    person.put_in(other)
    bought = {line["item_id"]: line["title"] for line in person.pay("after")["order"]["items"]}
    assert bought == {late: "Plain shirt", other: "Better shirt"}
