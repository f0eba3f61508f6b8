"""Onboarding."""

from __future__ import annotations

import pytest

from legacy_monolith.models import Mail, Session

pytestmark = pytest.mark.real

BODY = {"email": "Ada@Example.com", "password": "correct horse", "name": "Ada"}


def test_sign_up_logs_in_and_the_address_is_taken_afterwards(anybody, count):
    answer = anybody.do("POST", "/api/signup", BODY, 201)
    anybody.token = answer["token"]
    assert anybody.get("/api/me")["email"] == "ada@example.com"
    assert count(Mail, Mail.dedupe_key == f"welcome:{answer['user']['id']}") == 1
    refused = anybody.do("POST", "/api/signup", {**BODY, "email": "ADA@example.com"}, 409)
    assert refused["error"]["field"] == "email"


@pytest.mark.parametrize(
    ("change", "field"),
    [({"email": "no address"}, "email"), ({"password": "short"}, "password"), ({"name": ""}, "name"), ({"x": 1}, "x")],
)
def test_a_bad_sign_up_names_the_field(anybody, change, field):
    error = anybody.do("POST", "/api/signup", {**BODY, **change}, 400)["error"]
    assert (error["code"], error["field"]) == ("invalid", field)


def test_a_body_that_is_no_json_object_is_refused(app, anybody):
    assert anybody.do("POST", "/api/signup", [1], 400)["error"]["message"] == "the body must be a JSON object"
    raw = app.test_client().post("/api/login", data="{", content_type="application/json")
    assert raw.status_code == 400


def test_log_in_with_cookie_and_log_out(app, shop):
    client = app.test_client()
    answer = client.post("/api/login", json={"email": "user1@shop.test", "password": "secret-pass"})
    assert answer.status_code == 200 and "HttpOnly" in answer.headers["Set-Cookie"]
    assert client.get("/api/me").get_json()["email"] == "user1@shop.test"
    assert client.post("/api/logout").status_code == 204
    assert client.get("/api/me").status_code == 401
    token = answer.get_json()["token"]
    assert client.get("/api/me", headers={"Authorization": f"Bearer {token}"}).status_code == 401


def test_the_token_itself_is_not_stored(buyer, count):
    assert count(Session, Session.token_hash == buyer.token) == 0


def test_wrong_password_and_unknown_address_look_the_same(anybody):
    wrong = anybody.ask("POST", "/api/login", {"email": "user1@shop.test", "password": "nope nope"})
    unknown = anybody.ask("POST", "/api/login", {"email": "nobody@shop.test", "password": "nope nope"})
    assert wrong.status_code == unknown.status_code == 401
    assert wrong.data == unknown.data


def test_customers_may_not_do_what_staff_do(buyer):
    assert buyer.do("GET", "/api/promotions", None, 403)["error"]["code"] == "forbidden"


def test_addresses_belong_to_one_account(buyer, new_buyer):
    [address] = buyer.get("/api/addresses")["addresses"]
    assert address["default"] is True
    new_buyer().do("DELETE", f"/api/addresses/{address['id']}", None, 404)
    buyer.do("DELETE", f"/api/addresses/{address['id']}", None, 204)
    assert buyer.get("/api/addresses") == {"addresses": []}
    assert buyer.get("/api/me")["default_address_id"] is None
    wrong = {"name": "B", "line1": "1", "city": "R", "postal_code": "8", "country": "usa"}
    assert buyer.do("POST", "/api/addresses", wrong, 400)["error"]["field"] == "country"


def test_notification_preferences(buyer):
    wish = {"preferences": [{"topic": "orders", "by_mail": False, "in_app": True}]}
    stored = buyer.do("PUT", "/api/notification-preferences", wish)["preferences"]
    assert {"topic": "orders", "by_mail": False, "in_app": True} in stored
    assert {"topic": "returns", "by_mail": True, "in_app": True} in stored
    [welcome] = buyer.get("/api/notifications")["notifications"]
    buyer.do("POST", f"/api/notifications/{welcome['id']}/read", None, 204)
    assert buyer.get("/api/notifications")["notifications"][0]["read_at"] is not None
