from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.flags import Edit, Flag, FlagError, FlagSet, check_percent, describe, edit, rollback
from proxy.routes import Access, Route, RouteTable, Side, Upstream

UP = Upstream("up", (("127.0.0.1", 8080),))
ITEMS = Route("catalog", "GET", "/api/items", Access.READ)
ITEM = Route("catalog", "GET", "/api/items/{id}", Access.READ)
LIST_IT = Route("catalog", "POST", "/api/items", Access.WRITE)
CODES = Route("promotions", "GET", "/api/promotions", Access.READ)
TABLE = RouteTable(UP, {"catalog": UP, "promotions": UP, "empty": UP}, (ITEMS, ITEM, LIST_IT, CODES))
START = FlagSet(41)


def test_an_edit_changes_every_route_of_the_capability_and_no_other() -> None:
    flags = edit(START, TABLE, "catalog", Edit(percent=40))
    assert flags.version == 42
    assert [flags.of(route.name).percent for route in TABLE.routes] == [40, 40, 40, 0]
    assert START.of(ITEMS.name).percent == 0


def test_an_edit_of_one_route() -> None:
    flags = edit(START, TABLE, "catalog", Edit(percent=40), route=ITEM.name)
    assert [flags.of(route.name).percent for route in TABLE.routes] == [0, 40, 0, 0]


def test_reads_only_leaves_writes() -> None:
    flags = edit(START, TABLE, "catalog", Edit(percent=100), reads_only=True)
    assert [flags.of(route.name).percent for route in TABLE.routes] == [100, 100, 0, 0]
    with pytest.raises(FlagError, match="only reads may be changed"):
        edit(START, TABLE, "catalog", Edit(percent=1), route=LIST_IT.name, reads_only=True)


def test_what_is_not_named_stays() -> None:
    flags = edit(START, TABLE, "catalog", Edit(percent=40, shadow_percent=5, fallback=False))
    flags = edit(flags, TABLE, "catalog", Edit(pin=Side.NEW))
    flags = edit(flags, TABLE, "catalog", Edit(add_cohorts=frozenset({"staff"})), known_cohorts={"staff"})
    assert flags.of(ITEM.name) == Flag(40, 5, Side.NEW, frozenset({"staff"}), False)
    flags = edit(flags, TABLE, "catalog", Edit(unpin=True, remove_cohorts=frozenset({"staff"}), fallback=True))
    assert flags.of(ITEM.name) == Flag(40, 5)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (101, "percent 101 is out of range: 0 to 100"),
        (-1, "percent -1 is out of range"),
        (100.5, "percent 100.5 is out of range"),
        (33.333, "percent 33.333 is too fine: steps of 0.01"),
        (math.nan, "percent nan is not a number"),
        (math.inf, "percent inf is not a number"),
        (True, "percent True is not a number"),
        ("40", "percent '40' is not a number"),
    ],
)
def test_a_percent_that_is_none(value: float, said: str) -> None:
    with pytest.raises(FlagError, match=said):
        edit(START, TABLE, "catalog", Edit(percent=value))
    with pytest.raises(FlagError, match="shadow " + said):
        edit(START, TABLE, "catalog", Edit(shadow_percent=value))


@given(st.integers(0, 10_000))
def test_every_hundredth_is_a_percent(hundredths: int) -> None:
    check_percent("percent", hundredths / 100)


@pytest.mark.parametrize(
    ("capability", "change", "route", "said"),
    [
        ("catalgo", Edit(), None, "no capability 'catalgo'; did you mean 'catalog'"),
        ("zzz", Edit(), None, "no capability 'zzz'; there are: catalog, empty, promotions"),
        ("empty", Edit(), None, "capability 'empty' has no routes"),
        ("catalog", Edit(), "GET /api/item", "catalog has no route 'GET /api/item'; did you mean 'GET /api/items'"),
        ("catalog", Edit(), CODES.name, "catalog has no route 'GET /api/promotions'"),
        ("catalog", Edit(add_cohorts=frozenset({"stuff"})), None, "no cohort 'stuff'; did you mean 'staff'"),
        ("catalog", Edit(pin=Side.NEW, unpin=True), None, "pin and unpin at once"),
        ("catalog", Edit(fallback=True), LIST_IT.name, "POST /api/items: a fallback would send it twice"),
    ],
)
def test_a_change_that_cannot_be(capability: str, change: Edit, route: str | None, said: str) -> None:
    with pytest.raises(FlagError, match=said):
        edit(START, TABLE, capability, change, route=route, known_cohorts={"staff"})


def test_a_rollback_leaves_nothing_that_leads_to_new() -> None:
    flags = edit(START, TABLE, "promotions", Edit(percent=10))
    flags = edit(flags, TABLE, "catalog", Edit(percent=100, shadow_percent=5, pin=Side.NEW))
    back = rollback(flags, TABLE, "catalog")
    assert {back.of(route.name) for route in TABLE.of("catalog")} == {Flag(pin=Side.LEGACY)}
    assert back.of(CODES.name).percent == 10


def test_describe_says_what_would_change_in_words() -> None:
    at_40 = edit(START, TABLE, "catalog", Edit(percent=40))
    assert describe(at_40, edit(at_40, TABLE, "catalog", Edit(percent=60), reads_only=True), TABLE) == [
        "GET /api/items        40 % -> 60 %   users already on new stay there",
        "GET /api/items/{id}   40 % -> 60 %   users already on new stay there",
    ]
    assert describe(at_40, edit(at_40, TABLE, "catalog", Edit(percent=0.5), route=ITEM.name), TABLE) == [
        "GET /api/items/{id}   40 % -> 0.5 %   some users on new go back to legacy"
    ]
    assert describe(at_40, rollback(at_40, TABLE, "catalog"), TABLE)[0] == (
        "GET /api/items        40 % -> 0 %; pinned to legacy: everybody, whatever cookie, cohort or override they carry"
    )
    assert describe(at_40, at_40, TABLE) == []
