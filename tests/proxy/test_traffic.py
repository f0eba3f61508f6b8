"""Who gets which side, through a real Envoy: invariants 2, 3 and 6, fallback, and what every response says."""

from __future__ import annotations

import socket
import uuid

import pytest

from proxy import cohort
from proxy.flags import Edit, edit
from proxy.routes import Side
from proxy.settings import Identity, ProxySettings
from tests.proxy.rig import KEY, Client, Envoy, Plane, shop_table, until
from tests.proxy.upstream import Upstream

pytestmark = pytest.mark.real

USERS = [str(uuid.UUID(int=n * 0x9E3779B97F4A7C15F39CC0605CEDC835 % 2**128)) for n in range(1, 601)]
CATALOG = ("/api/items", "/api/items/7", "/api/items/new", "/api/items?brand=3")


def serve(envoy: Envoy, version: int) -> None:
    until(lambda: envoy.version() == version, f"the worker has version {version}")


def sides(client: Client, path: str) -> dict[str, str]:
    return {user: client.as_user(user, path).side for user in USERS}


# --- who gets which side ---


def test_same_user_gets_the_same_side_on_every_route_of_a_capability(
    plane: Plane, envoy: Envoy, client: Client
) -> None:
    serve(envoy, plane.set("catalog", percent=50).version)
    for user in USERS[:100]:
        seen = {client.as_user(user, path).side for path in CATALOG}
        seen.add(client.as_user(user, "/api/items", method="POST").side)
        seen.add(client.as_user(user, "/api/items/7", method="HEAD").side)
        assert len(seen) == 1, user


def test_a_growing_percent_only_adds_users_to_new(plane: Plane, envoy: Envoy, client: Client) -> None:
    before: set[str] = set()
    for percent in (1, 10, 10.5, 35, 60, 99, 100):
        serve(envoy, plane.set("catalog", percent=percent).version)
        new = {user for user, side in sides(client, "/api/items/7").items() if side == Side.NEW}
        assert before <= new, f"moved back at {percent} %"
        assert abs(len(new) / len(USERS) * 100 - percent) < 8
        before = new
    assert before == set(USERS)


def test_capabilities_put_users_into_buckets_independently(plane: Plane, envoy: Envoy, client: Client) -> None:
    plane.set("catalog", percent=50)
    serve(envoy, plane.set("promotions", percent=50).version)
    catalog, promotions = sides(client, "/api/items"), sides(client, "/api/promotions/SUMMER")
    both = sum(catalog[user] == promotions[user] for user in USERS) / len(USERS)
    assert 0.4 < both < 0.6, "the two capabilities agree no more often than chance has it"


def test_who_has_no_identity_yet_is_on_one_side_from_the_first_response_on(
    plane: Plane, envoy: Envoy, client: Client
) -> None:
    serve(envoy, plane.set("catalog", percent=50).version)
    seen = set()
    for _ in range(60):
        first = client("/api/items", headers={"cookie": "theme=dark"})
        assert first.cookie is not None, "the proxy hands the identity out"
        later = [client.as_user(first.cookie, path) for path in CATALOG]
        assert {answer.side for answer in later} == {first.side}
        assert all(answer.cookie is None for answer in later), "once is enough"
        seen.add(first.side)
    assert seen == {"legacy", "new"}


def test_an_identity_is_handed_out_on_routes_nobody_claims_too(plane: Plane, client: Client) -> None:
    assert client("/").cookie is not None
    assert client.as_user(USERS[0], "/").cookie is None


def test_a_single_route_can_have_its_own_flag(plane: Plane, envoy: Envoy, client: Client) -> None:
    serve(envoy, plane.set("catalog", percent=100, route="GET /api/items/{id}").version)
    assert client("/api/items/7").side == "new"
    assert client("/api/items").side == "legacy"


def test_the_more_exact_route_wins(plane: Plane, envoy: Envoy, client: Client) -> None:
    serve(envoy, plane.set("catalog", percent=100, route="GET /api/items/{id}").version)
    assert client("/api/items/new").headers["x-strangler-route"] == "GET /api/items/new"
    assert client("/api/items/new").side == "legacy"


CLAIMED = {
    "/api/items": "GET /api/items",
    "/api/items?": "GET /api/items",
    "/api/items?next=/api/items/7": "GET /api/items",
    "/api/items?q=%C3%A9&%FF?&": "GET /api/items",
    "/api/items/new?a/b/c": "GET /api/items/new",
    "/api/items/7?next=/a/b?c": "GET /api/items/{id}",
    "/api/items/%C3%A9%FF": "GET /api/items/{id}",
    "/api/items/7%2Fphotos": "GET /api/items/{id}",
    "/api/promotions/SUMMER": "GET /api/promotions/{code}",
    "/api/promotions/SUMMER/terms": "GET /api/promotions/{code}/terms",
    "/api/promotions/SUMMER/terms?x=/": "GET /api/promotions/{code}/terms",
}
UNCLAIMED = (
    "/",
    "/api",
    "/api/itemsx",
    "/api/items/",
    "/api/items/?x",
    "/api/items/7/",
    "/api/items/7/photos",
    "/api/items//7",
    "/api//items",
    "//api/items",
    "/api/promotions//terms",
    "/api/promotions/SUMMER/terms/",
    "/api/promotions/a/b/terms",
    "/?/api/items",
)


def test_a_template_matches_its_segments_and_nothing_else(plane: Plane, envoy: Envoy, client: Client) -> None:
    """With everybody on new, and for who is overridden to new alike."""
    new = {cohort.HEADER: cohort.token(None, KEY, 60, override=Side.NEW)}
    for percent in (0, 100):
        plane.set("catalog", percent=percent)
        serve(envoy, plane.set("promotions", percent=percent).version)
        wanted = {path: ("new", name) for path, name in CLAIMED.items()}
        wanted |= dict.fromkeys(UNCLAIMED, ("legacy", "*"))
        found = {}
        for path in wanted:
            answer = raw(envoy.listen, path, {} if percent else new)
            found[path] = answer.get("x-strangler-side"), answer.get("x-strangler-route")
        assert found == wanted


def raw(port: int, path: str, headers: dict[str, str]) -> dict[str, str]:
    """The response's headers; the path is sent as it is."""
    lines = [f"GET {path} HTTP/1.1", "host: shop", "connection: close", *(f"{k}: {v}" for k, v in headers.items())]
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall("\r\n".join([*lines, "", ""]).encode())
        head = connection.makefile("rb").read().partition(b"\r\n\r\n")[0].decode()
    pairs = [line.partition(": ") for line in head.split("\r\n")[1:]]
    return {name.lower(): value for name, _, value in pairs}


def test_a_method_nobody_claims_goes_to_legacy(plane: Plane, envoy: Envoy, client: Client) -> None:
    serve(envoy, plane.set("catalog", percent=100).version)
    assert client("/api/items", method="DELETE").side == "legacy"


def test_an_identity_header_takes_the_place_of_the_cookie(
    tmp_path_factory: pytest.TempPathFactory, legacy: Upstream, new: Upstream
) -> None:
    folder = tmp_path_factory.mktemp("header")
    plane = Plane(folder, shop_table(legacy.port, new.port), ProxySettings(Identity(header="x-customer"), salt="s"))
    envoy = Envoy(folder, plane.port)
    try:
        envoy.start()
        serve(envoy, plane.set("catalog", percent=50).version)
        client = Client(envoy.listen)
        found = {user: {client(path, headers={"x-customer": user}).side for path in CATALOG} for user in USERS[:60]}
        assert all(len(seen) == 1 for seen in found.values())
        assert {side for seen in found.values() for side in seen} == {"legacy", "new"}
        assert {client("/api/items").side for _ in range(20)} == {"legacy"}, "who can't be recognised stays on legacy"
    finally:
        envoy.kill()
        plane.stop()


# --- rollback, pins, and what clients send ---


def test_a_rollback_overrides_percent_cookies_cohorts_overrides_and_pins(
    plane: Plane, envoy: Envoy, client: Client
) -> None:
    plane.set("catalog", percent=100, add_cohorts=frozenset({"staff"}))
    serve(envoy, plane.set("catalog", pin=Side.NEW).version)
    staff = {"cookie": f"{cohort.COOKIE}={cohort.token('staff', KEY, 60)}"}
    override = {cohort.HEADER: cohort.token(None, KEY, 60, override=Side.NEW)}
    everybody = [{}, staff, override, {"cookie": f"strangler_uid={USERS[0]}"}]
    assert {client("/api/items", headers=one).side for one in everybody} == {"new"}
    serve(envoy, plane.back("catalog").version)
    for path in CATALOG:
        assert {client(path, headers=one).side for one in everybody} == {"legacy"}


def test_a_signed_cohort_goes_to_new_whatever_the_percent(plane: Plane, envoy: Envoy, client: Client) -> None:
    serve(envoy, plane.set("catalog", add_cohorts=frozenset({"staff"})).version)
    for headers in (
        {"cookie": f"a=b; {cohort.COOKIE}={cohort.token('staff', KEY, 60)}; strangler_uid={USERS[0]}"},
        {cohort.HEADER: cohort.token("staff", KEY, 60)},
    ):
        assert client("/api/items", headers=headers).side == "new"
        assert client("/api/promotions/X", headers=headers).side == "legacy", "the flag of another capability"
    assert client("/api/items", headers={cohort.HEADER: cohort.token("beta", KEY, 60)}).side == "legacy"
    assert client("/api/items").side == "legacy"


def test_a_signed_override_chooses_the_side(plane: Plane, envoy: Envoy, client: Client) -> None:
    serve(envoy, plane.set("catalog", percent=50).version)
    for side in Side:
        headers = {"cookie": f"{cohort.COOKIE}={cohort.token(None, KEY, 60, override=side)}"}
        assert {client(path, headers=headers).side for path in CATALOG * 5} == {side}


@pytest.mark.parametrize(
    "headers",
    [
        {"x-strangler-lane": "new"},
        {"x-strangler-lane": "staff"},
        {"x-strangler-override": "new"},
        {"x-strangler-cohort": "staff"},
        {"x-strangler-side": "new"},
        {"x-strangler-fallback": "new"},
        {cohort.HEADER: cohort.token("staff", b"some other key, also of 32 bytes", 60)},
        {cohort.HEADER: cohort.token(None, b"some other key, also of 32 bytes", 60, override=Side.NEW)},
        {cohort.HEADER: cohort.token("staff", KEY, -120)},
        {cohort.HEADER: "nonsense"},
        {"cookie": f"{cohort.COOKIE}=nonsense"},
        {"cookie": f"{cohort.COOKIE}={cohort.token('staff', KEY, 60)[:-4]}AAAA"},
        # Not signed at all: a JWT of algorithm "none".
        {cohort.HEADER: "eyJhbGciOiJub25lIn0.eyJpc3MiOiJzdHJhbmdsZXIiLCJsYW5lIjoibmV3In0."},
    ],
)
def test_nothing_unsigned_steers(plane: Plane, envoy: Envoy, client: Client, headers: dict[str, str]) -> None:
    serve(envoy, plane.set("catalog", add_cohorts=frozenset({"staff"})).version)
    assert client("/api/items", headers=headers).side == "legacy"


def test_a_client_cannot_choose_its_bucket_by_sending_the_requests_id(
    plane: Plane, envoy: Envoy, client: Client
) -> None:
    serve(envoy, plane.set("catalog", percent=50).version)
    answers = [client("/api/items", headers={"x-request-id": USERS[0]}) for _ in range(40)]
    assert {answer.side for answer in answers} == {"legacy", "new"}
    assert USERS[0] not in {answer.cookie for answer in answers}


def test_a_declared_network_may_override_without_a_signature(
    tmp_path_factory: pytest.TempPathFactory, legacy: Upstream, new: Upstream
) -> None:
    folder = tmp_path_factory.mktemp("network")
    settings = ProxySettings(cohorts=frozenset({"staff"}), networks=("127.0.0.0/8",))
    plane = Plane(folder, shop_table(legacy.port, new.port), settings)
    envoy = Envoy(folder, plane.port)
    try:
        envoy.start()
        serve(envoy, plane.set("catalog", add_cohorts=frozenset({"staff"})).version)
        client = Client(envoy.listen)
        assert client("/api/items", headers={"x-strangler-override": "new"}).side == "new"
        assert client("/api/items", headers={"x-strangler-cohort": "staff"}).side == "new"
        assert client("/api/items", headers={"x-strangler-cohort": "unheard-of"}).side == "legacy"
        assert client("/api/items").side == "legacy"
    finally:
        envoy.kill()
        plane.stop()


# --- fallback ---


@pytest.mark.parametrize("percent", [100, 99.99])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_legacy_answers_a_safe_request_that_failed_on_new(
    plane: Plane, envoy: Envoy, client: Client, method: str, percent: float
) -> None:
    plane.set("dead", percent=percent)
    serve(envoy, plane.set("catalog", percent=percent).version)
    for path in ("/api/items/fail", "/api/dead", "/api/items/hang"):
        answer = client(path, method=method)
        assert (answer.status, answer.side) == (200, "legacy")
        assert answer.headers["x-strangler-fallback"] == "1", path


def test_only_a_fallback_is_marked_as_one(plane: Plane, envoy: Envoy, client: Client) -> None:
    plane.set("dead", percent=100)
    serve(envoy, plane.set("catalog", percent=50).version)
    answers = [client.as_user(user, path) for user in USERS[:20] for path in (*CATALOG, "/elsewhere")]
    answers.append(client("/api/dead", method="POST"))
    answers.append(client("/__strangler/version"))
    assert {answer.side for answer in answers} == {"legacy", "new", "proxy"}
    assert not [answer for answer in answers if "x-strangler-fallback" in answer.headers]


def test_an_unsafe_request_is_sent_once(
    plane: Plane, envoy: Envoy, client: Client, legacy: Upstream, new: Upstream
) -> None:
    serve(envoy, plane.set("dead", percent=100).version)
    legacy.seen.clear()
    answer = client("/api/dead", method="POST", body=b"once")
    assert (answer.status, answer.side) == (503, "new")
    assert legacy.seen == []


def test_a_write_declared_idempotent_may_fall_back_with_its_body(plane: Plane, envoy: Envoy, client: Client) -> None:
    serve(envoy, plane.set("catalog", percent=100).version)
    answer = client("/api/items/fail", method="PUT", body=b"price=3")
    assert (answer.status, answer.side, answer.json["body"]) == (200, "legacy", "price=3")


def test_without_fallback_a_failure_on_new_is_seen(plane: Plane, envoy: Envoy, client: Client) -> None:
    serve(envoy, plane.set("catalog", percent=100, fallback=False).version)
    answer = client("/api/items/fail")
    assert (answer.status, answer.side) == (500, "new")


def test_a_failure_on_legacy_is_not_sent_again(plane: Plane, envoy: Envoy, client: Client, legacy: Upstream) -> None:
    """The retry of the fallback must not double the load of a legacy in trouble."""
    plane.set("catalog", percent=0.01)
    serve(envoy, plane.flipper.flags.version)
    legacy.name = "new"  # it fails now
    legacy.seen.clear()
    try:
        answer = client.as_user(USERS[0], "/api/items/fail")
        assert (answer.status, answer.side) == (500, "legacy")
        assert len(legacy.seen) == 1
    finally:
        legacy.name = "legacy"


# --- what every response says ---


def test_every_response_says_who_served_it(plane: Plane, envoy: Envoy, client: Client) -> None:
    plane.set("dead", percent=100)
    version = plane.set("catalog", percent=100).version
    serve(envoy, version)
    expected = {
        ("GET", "/api/items/7"): ("new", "GET /api/items/{id}"),
        ("HEAD", "/api/items/7"): ("new", "GET /api/items/{id}"),
        ("POST", "/api/items"): ("new", "POST /api/items"),
        ("GET", "/api/promotions/X"): ("legacy", "GET /api/promotions/{code}"),
        ("GET", "/anything/else"): ("legacy", "*"),
        ("GET", "/api/items/fail"): ("legacy", "GET /api/items/{id}"),
        ("POST", "/api/dead"): ("new", "POST /api/dead"),  # answered by the proxy: nobody listens there
    }
    for (method, path), (side, route) in expected.items():
        headers = client(path, method=method).headers
        said = headers["x-strangler-side"], headers["x-strangler-route"], headers["x-strangler-version"]
        assert said == (side, route, str(version)), (method, path)
    own = client("/__strangler/version").headers
    assert (own["x-strangler-side"], own["x-strangler-version"]) == ("proxy", str(version))


def test_the_request_arrives_as_it_was_sent(plane: Plane, envoy: Envoy, client: Client) -> None:
    serve(envoy, plane.set("catalog", percent=100).version)
    got = client("/api/items?brand=%C3%A9&x=1", method="POST", body=b"abc", headers={"x-own": "1"}).json
    assert (got["method"], got["path"], got["body"], got["headers"]["x-own"]) == (
        "POST",
        "/api/items?brand=%C3%A9&x=1",
        "abc",
        "1",
    )


def test_describe_and_traffic_agree_on_a_percent_too_fine_to_see(plane: Plane, envoy: Envoy, client: Client) -> None:
    flags = edit(plane.flipper.flags, plane.table, "catalog", Edit(percent=0.01))
    serve(envoy, plane.flip(flags).version)
    assert {client.as_user(user, "/api/items").side for user in USERS[:50]} == {"legacy"}
