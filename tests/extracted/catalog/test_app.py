from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from extracted.catalog.app import create_app
from extracted.catalog.settings import Settings, SettingsError
from strangler.dev.ports import free_port


@pytest.fixture
def without_database() -> FlaskClient:
    return create_app(Settings(f"mysql+pymysql://u:secret@127.0.0.1:{free_port()}/catalog")).test_client()


@pytest.mark.parametrize("path", ["/api/items", "/api/items/1", "/api/brands", "/api/categories", "/health"])
def test_without_its_database_the_service_says_503_and_no_secret(without_database: FlaskClient, path: str) -> None:
    answer = without_database.get(path)
    assert answer.status_code == 503
    assert answer.json["error"]["code"] == "unavailable"
    assert "secret" not in answer.text


def test_what_needs_no_database_is_answered_without(without_database: FlaskClient) -> None:
    assert without_database.get("/api/items?page=x").status_code == 400
    assert without_database.get("/api/items/abc").status_code == 404
    assert without_database.get("/nowhere").json["error"]["message"] == "no such address"
    refused = without_database.post("/api/items")
    assert (refused.status_code, refused.headers["Allow"]) == (405, "GET, HEAD, OPTIONS")


def test_settings_name_what_is_wrong() -> None:
    with pytest.raises(SettingsError, match="DATABASE_URL is not set"):
        Settings.from_environment({})
    with pytest.raises(SettingsError, match="DATABASE_POOL_SIZE must be a number, not 'many'"):
        Settings.from_environment({"DATABASE_URL": "mysql://u:p@h/c", "DATABASE_POOL_SIZE": "many"})
    with pytest.raises(SettingsError, match="0 or more"):
        Settings.from_environment({"DATABASE_URL": "mysql://u:p@h/c", "CATALOG_TREE_SECONDS": "-1"})
