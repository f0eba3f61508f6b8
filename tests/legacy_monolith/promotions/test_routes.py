"""Staff's editing of promotions."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.real

BODY = {"code": "spring-9", "name": "spring", "kind": "percent", "value": "9.00", "starts_at": "2026-01-01T00:00:00Z"}


def test_made_changed_removed(staff, anybody):
    made = staff.do("POST", "/api/promotions", {**BODY, "brands": [2, 1], "categories": [1]}, 201)
    assert (made["code"], made["starts_at"]) == ("SPRING-9", "2025-12-31T16:00:00-08:00")
    assert anybody.get("/api/promotions/spring-9") == made
    assert staff.do("POST", "/api/promotions", BODY, 409)["error"]["field"] == "code"
    changed = staff.do("PUT", "/api/promotions/SPRING-9", {**BODY, "brands": [3]})
    assert (changed["brands"], changed["categories"]) == ([3], [])
    staff.do("DELETE", "/api/promotions/SPRING-9", None, 204)
    anybody.do("GET", "/api/promotions/SPRING-9", None, 404)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"kind": "gift"}, "kind"),
        ({"value": "101"}, "value"),
        ({"kind": "amount", "value": "0"}, "value"),
        ({"code": "a b"}, "code"),
        ({"ends_at": "2025-01-01T00:00:00Z"}, "ends_at"),
        ({"total_limit": 0}, "total_limit"),
        ({"brands": [999999]}, "brands"),
        ({"min_spend": "-1"}, "min_spend"),
        ({"value": "NaN"}, "value"),
    ],
)
def test_what_makes_no_sense_names_the_field(staff, change, field):
    assert staff.do("POST", "/api/promotions", {**BODY, **change}, 400)["error"]["field"] == field


def test_an_unknown_code_is_not_taken_into_the_cart(buyer):
    assert buyer.do("POST", "/api/cart/promotions", {"code": "NOPE"}, 404)["error"]["field"] == "code"
