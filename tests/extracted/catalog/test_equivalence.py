"""The service answers with the monolith's bytes, from rows that the mapping made."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contracts.catalog import CONTRACT
from contracts.run import Patience, run_on
from strangler.dev.ports import free_port

pytestmark = pytest.mark.real
ONCE = Patience(attempts=1)
ROOT = Path(__file__).parents[3]

_ODD_TEXT = st.sampled_from(
    ["", "navy", "NAVY", "ß", "SS", " M ", "m", "é", "e", "😀", "漢字", "zoé", "robe d'été", "%", "\\"]
)
_AMOUNTS = st.sampled_from(["0", "0.00", "0.05", "10", "19.9", "99999999.99", "5", "x", "1.234"])
_CATEGORIES = st.sampled_from(["1", "2", "5", "odd", "ODD", "odd-gone", "900003", "odd-same", "nope", "0", "'", "é"])
_BRANDS = st.sampled_from(
    ["1", "7", "odd-zoe", "ODD-ZOE", "odd-zoé", "odd-zoe ", "gone", "900002", "kanji", "nope", "😀"]
)
_SORTS = st.sampled_from(["newest", "price_asc", "price_desc", "x"])
_STATUSES = st.sampled_from(["listed", "reserved", "sold", "returned", "withdrawn", "processing"])
_QUESTIONS = st.sampled_from(
    ["dress", "DRESS", "silk dress", "x_y", "robe d'été zoé", "漢字", "the", "zo", "été", "a b"]
)
QUERIES = st.fixed_dictionaries(
    {},
    optional={
        "page": st.integers(-1, 60) | st.just("x"),
        "per_page": st.integers(0, 101),
        "sort": _SORTS,
        "status": _STATUSES,
        "condition": st.sampled_from(["new_with_tags", "like_new", "gently_used", "worn", "new"]),
        "min_price": _AMOUNTS,
        "max_price": _AMOUNTS,
        "category": _CATEGORIES,
        "brand": _BRANDS,
        "size": _ODD_TEXT,
        "colour": _ODD_TEXT,
        "q": _QUESTIONS | st.text(max_size=12),
    },
)


def same(sides: Any, path: str, parameters: dict[str, Any] | None = None) -> httpx.Response:
    legacy = sides.legacy.get(path, params=parameters)
    new = sides.new.get(path, params=parameters)
    assert (new.status_code, new.headers["content-type"], new.content) == (
        legacy.status_code,
        legacy.headers["content-type"],
        legacy.content,
    )
    assert legacy.status_code in (200, 400, 404)
    return legacy


def test_the_contract_holds_on_both_sides_and_they_agree(sides: Any) -> None:
    report = run_on(CONTRACT, sides.clients, ONCE)
    assert report.differences == []
    assert report.passed > 250


@settings(
    max_examples=150, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(query=QUERIES)
def test_any_question_has_the_same_answer(sides: Any, query: dict[str, Any]) -> None:
    same(sides, "/api/items", query)


def test_every_item_has_the_same_page(sides: Any) -> None:
    with sides.engine.connect() as connection:
        ids = [row[0] for row in connection.exec_driver_sql("SELECT id FROM items ORDER BY id")]
    statuses = [same(sides, f"/api/items/{item}").status_code for item in ids]
    assert statuses.count(200) > 900
    assert 404 in statuses


def test_odd_rows_are_shown_alike(sides: Any) -> None:
    assert same(sides, "/api/items/900001").json()["brand"]["name"] == "Zoé & Co"
    odd = same(sides, "/api/items/900002").json()
    assert odd["brand"]["name"] == "Gone"
    assert odd["tags"] == ["a", "b", "c"]
    assert [node["id"] for node in odd["category"]] == [900001, 900002, 900003]
    assert odd["created_at"] == "2020-12-31T16:00:00-08:00"
    assert same(sides, "/api/items/900003").json()["photos"] == ["/p/1.jpg", "/p/2.jpg"]
    for hidden in (900004, 900005):
        assert same(sides, f"/api/items/{hidden}").status_code == 404


def test_lists_page_by_page_to_their_end(sides: Any) -> None:
    for sort in ("newest", "price_asc", "price_desc"):
        page, seen, total = 1, 0, 1
        while seen < total:
            body = same(sides, "/api/items", {"sort": sort, "per_page": 50, "page": page}).json()
            seen, total, page = seen + len(body["items"]), body["total"], page + 1
        assert seen == total


def test_brands_and_categories(sides: Any) -> None:
    assert any(brand["id"] == 900001 for brand in same(sides, "/api/brands").json()["brands"])
    same(sides, "/api/categories")


@pytest.fixture
def gunicorn(sides: Any, tmp_path: Path) -> Iterator[str]:
    """The service as it is deployed."""
    port = free_port()
    command = [sys.executable, "-m", "gunicorn", "--workers", "1", "--threads", "4", "--no-control-socket"]
    command += ["--bind", f"127.0.0.1:{port}", "extracted.catalog.wsgi:app"]
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(
            command, cwd=ROOT, env={**os.environ, "DATABASE_URL": sides.new_url}, stdout=log, stderr=log
        )
    url = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + 30
        while True:
            try:
                if httpx.get(f"{url}/health").status_code == 200:
                    break
            except httpx.TransportError:
                assert process.poll() is None, (tmp_path / "log").read_text()
                assert time.monotonic() < deadline
            time.sleep(0.05)
        yield url
    finally:
        process.terminate()
        process.wait(20)


def test_behind_gunicorn_the_contract_holds(sides: Any, gunicorn: str) -> None:
    with httpx.Client(base_url=gunicorn) as service:
        report = run_on(CONTRACT, {"legacy": sides.legacy, "new": service}, ONCE)
        assert report.differences == []
        assert b'catalog_request_seconds_count{route="/api/items",status="200"}' in service.get("/metrics").content
