"""The OpenAPI document, metrics, health, and errors of the outermost layer."""

from __future__ import annotations

import re
from dataclasses import replace

import jsonschema
import pytest
from flask import Flask

from legacy_monolith.app import create_app
from legacy_monolith.shop import Shop
from legacy_monolith.web.openapi import Undocumented, document, template
from strangler.dev.ports import free_port

pytestmark = pytest.mark.real


def test_the_document_lists_every_route_and_method(app, anybody):
    paths = anybody.get("/openapi.json")["paths"]
    described = {(path, method.upper()) for path, operations in paths.items() for method in operations}
    served = {
        (template(rule.rule), method)
        for rule in app.url_map.iter_rules()
        for method in rule.methods - {"HEAD", "OPTIONS"}
    }
    assert described == served
    assert len(served) > 50


def test_path_parameters_are_described(anybody):
    for path, operations in anybody.get("/openapi.json")["paths"].items():
        for operation in operations.values():
            named = {each["name"] for each in operation["parameters"] if each["in"] == "path"}
            assert named == set(re.findall(r"{(\w+)}", path))
            assert operation["summary"]


def test_the_item_list_is_what_its_schema_says(anybody):
    operation = anybody.get("/openapi.json")["paths"]["/api/items"]["get"]
    schema = operation["responses"]["200"]["content"]["application/json"]["schema"]
    jsonschema.validate(anybody.get("/api/items"), schema)
    assert {each["name"] for each in operation["parameters"]} >= {"q", "category", "brand", "page", "per_page"}


def test_a_route_without_declaration_is_noticed():
    app = Flask("x")
    app.add_url_rule("/y", view_func=lambda: "z")
    with pytest.raises(Undocumented):
        document(app)


def test_health_and_metrics(app, anybody):
    assert anybody.get("/health") == {"status": "ok"}
    anybody.get("/api/items/1")
    text = app.test_client().get("/metrics").get_data(as_text=True)
    assert 'shop_http_requests_total{method="GET",route="/api/items/<item_id>",status="200"}' in text


def test_without_a_database_every_answer_is_a_clear_503(settings):
    shop = Shop.open(replace(settings, database_url=f"mysql+pymysql://u:p@127.0.0.1:{free_port()}/x"))
    answer = create_app(shop).test_client().get("/health")
    assert (answer.status_code, answer.get_json()["error"]["code"]) == (503, "unavailable")
    assert answer.headers["Retry-After"] == "1"
    shop.close()


def test_unknown_addresses_and_methods_are_json_too(app):
    client = app.test_client()
    assert client.get("/nope").get_json()["error"]["code"] == "not_found"
    refused = client.put("/api/items")
    assert (refused.status_code, refused.headers["Allow"]) == (405, "GET, HEAD, OPTIONS")


def test_a_request_id_goes_in_and_comes_out(app):
    client = app.test_client()
    assert client.get("/health", headers={"X-Request-Id": "abc-1"}).headers["X-Request-Id"] == "abc-1"
    assert len(client.get("/health", headers={"X-Request-Id": "no spaces"}).headers["X-Request-Id"]) == 16
