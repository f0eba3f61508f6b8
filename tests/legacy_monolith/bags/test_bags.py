"""Consignment: a bag becomes items, its seller is paid."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.real

PIECE = {"title": "Wool coat", "price": "50.00", "category_id": 3, "condition": "like_new", "tags": ["winter"]}


def test_a_bag_becomes_items_and_pays_its_seller(buyer, staff, anybody):
    bag = buyer.do("POST", "/api/bags", {"notes": "handle with care"}, 201)
    staff.do("POST", f"/api/bags/{bag['id']}/items", PIECE, 409)
    staff.do("POST", f"/api/bags/{bag['id']}/receive")
    hidden = staff.do("POST", f"/api/bags/{bag['id']}/items", {**PIECE, "brand_id": 4}, 201)
    shown = staff.do("POST", f"/api/bags/{bag['id']}/items", {**PIECE, "price": "25.50", "publish": True}, 201)
    assert hidden["brand"]["id"] == 4
    anybody.do("GET", f"/api/items/{hidden['id']}", None, 404)
    assert anybody.get(f"/api/items/{shown['id']}")["availability"] == "listed"
    closed = staff.do("POST", f"/api/bags/{bag['id']}/close")
    assert (closed["items"], closed["payout"], closed["bag"]["status"]) == (2, "30.20", "processed")
    assert anybody.get(f"/api/items/{hidden['id']}")["availability"] == "listed"
    assert buyer.get("/api/store-credit")["balance"] == "30.20"
    assert "2 item(s) listed, payout 30.20" in buyer.get("/api/notifications")["notifications"][0]["body"]
    staff.do("POST", f"/api/bags/{bag['id']}/close", None, 409)


def test_bags_are_their_senders_own(buyer, new_buyer):
    bag = buyer.do("POST", "/api/bags", {}, 201)
    assert buyer.get("/api/bags")["bags"] == [bag] == [buyer.get(f"/api/bags/{bag['id']}")]
    new_buyer().do("GET", f"/api/bags/{bag['id']}", None, 404)
    buyer.do("POST", f"/api/bags/{bag['id']}/receive", None, 403)
