"""Flags as Envoy routes, without Envoy."""

from __future__ import annotations

from envoy.config.route.v3 import route_components_pb2, route_pb2
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.envoy.routes import RouteBuilder, buckets
from proxy.flags import Edit, FlagSet, edit, rollback
from proxy.routes import Access, Route, RouteTable, Side, Upstream
from proxy.settings import Identity, ProxySettings

UP = Upstream("up", (("127.0.0.1", 8080),), timeout_ms=1500)
SLOW = Upstream("slow", (("127.0.0.1", 8081),), timeout_ms=60_000)
ITEMS = Route("catalog", "GET", "/api/items", Access.READ)
ITEM = Route("catalog", "GET", "/api/items/{id}", Access.READ)
LIST_IT = Route("catalog", "POST", "/api/items", Access.WRITE)
REPORT = Route("reports", "GET", "/api/report", Access.READ)
TABLE = RouteTable(UP, {"catalog": UP, "search": UP, "reports": SLOW}, (ITEMS, ITEM, LIST_IT, REPORT))
START = FlagSet(0)


def configuration(flags: FlagSet, settings: ProxySettings | None = None) -> route_pb2.RouteConfiguration:
    return route_pb2.RouteConfiguration.FromString(
        RouteBuilder(TABLE, settings or ProxySettings()).configuration(flags)
    )


def lists(host: route_components_pb2.VirtualHost) -> list[list[route_components_pb2.Route]]:
    """The lists of routes of a virtual host, those of one depth after the other; the last one is for other depths."""
    ends = []
    for depth in host.matcher.matcher_list.matchers:
        tree = depth.on_match.matcher.matcher_tree.prefix_match_map.map
        ends += [tree[beginning] for beginning in sorted(tree)]
        ends.append(depth.on_match.matcher.on_no_match if tree else depth.on_match)
    found = []
    for on_match in [*ends, host.matcher.on_no_match]:
        routes = route_components_pb2.RouteList()
        assert on_match.action.typed_config.Unpack(routes)
        found.append(list(routes.routes))
    return found


def named(host: route_components_pb2.VirtualHost, name: str) -> list[route_components_pb2.Route]:
    return [one for some in lists(host) for one in some if one.name == name]


def entries(
    flags: FlagSet, name: str, settings: ProxySettings | None = None, lane: int = 0
) -> list[route_components_pb2.Route]:
    return named(configuration(flags, settings).virtual_hosts[lane], name)


def test_at_0_and_100_percent_and_pinned_there_is_one_entry() -> None:
    assert [one.route.cluster for one in entries(START, ITEMS.name)] == ["legacy"]
    new = edit(START, TABLE, "catalog", Edit(percent=100))
    assert [one.route.cluster for one in entries(new, ITEMS.name)] == ["new:catalog:legacy"]
    assert [one.route.cluster for one in entries(new, LIST_IT.name)] == ["writes:catalog:new"]
    back = rollback(new, TABLE, "catalog")
    assert [one.route.cluster for one in entries(back, ITEMS.name)] == ["legacy"]
    pinned = edit(edit(START, TABLE, "catalog", Edit(percent=10)), TABLE, "catalog", Edit(pin=Side.NEW))
    assert [one.route.cluster for one in entries(pinned, ITEMS.name)] == ["new:catalog:legacy"]


def test_a_percent_lists_new_first_and_splits_the_capabilitys_buckets() -> None:
    flags = edit(START, TABLE, "catalog", Edit(percent=12.34))
    (entry,) = entries(flags, ITEMS.name)
    weighted = entry.route.weighted_clusters
    assert [one.name for one in weighted.clusters] == ["new:catalog:legacy", "legacy"]
    to_new, to_legacy = (one.weight.value for one in weighted.clusters)
    assert to_new + to_legacy == buckets("", "catalog")
    assert round(to_new / (to_new + to_legacy) * 100, 6) == 12.34
    assert weighted.use_hash_policy.value


@given(st.integers(1, 9_999), st.integers(1, 9_999), st.text(max_size=8))
def test_a_growing_percent_never_takes_a_bucket_from_new(one: int, other: int, capability: str) -> None:
    """New has the first so many; 0.01 % is some and 99.99 % not all of them."""
    of = buckets("salt", capability)
    low, high = (round(hundredths / 100 * of / 100) for hundredths in sorted((one, other)))
    assert 0 < low <= high < of < 2**32


def test_the_buckets_differ_by_capability_and_salt_and_not_by_route() -> None:
    flags = edit(edit(START, TABLE, "catalog", Edit(percent=1)), TABLE, "reports", Edit(percent=1))
    found = {}
    for route in TABLE.routes:
        (entry,) = entries(flags, route.name)
        found[route.name] = sum(one.weight.value for one in entry.route.weighted_clusters.clusters)
    assert found[ITEMS.name] == found[ITEM.name] == found[LIST_IT.name] == buckets("", "catalog")
    assert found[REPORT.name] == buckets("", "reports") != buckets("", "catalog") != buckets("salt", "catalog")


def test_who_has_no_identity_is_put_where_the_identity_handed_out_will_be() -> None:
    (entry,) = entries(edit(START, TABLE, "catalog", Edit(percent=50)), ITEMS.name)
    cookie, request = entry.route.hash_policy
    assert (cookie.cookie.name, cookie.terminal) == ("strangler_uid", True)
    assert request.header.header_name == "x-request-id"


def test_get_answers_head_unless_head_has_a_route() -> None:
    """Whatever names its method comes first, then other methods leave, then GET, which takes HEAD along."""
    head = Route("catalog", "HEAD", "/api/items", Access.READ)
    table = RouteTable(UP, TABLE.new, (ITEMS, head, LIST_IT))
    found = route_pb2.RouteConfiguration.FromString(RouteBuilder(table, ProxySettings()).configuration(START))
    said = [
        (one.name, [header.string_match.exact for header in one.match.headers if header.name == ":method"])
        for one in lists(found.virtual_hosts[0])[0]
    ]
    assert [name for name, _ in said] == [
        head.name,
        LIST_IT.name,
        "*",
        ITEMS.name,
        "*",
    ]
    assert [methods for _, methods in said] == [["HEAD"], ["POST"], ["GET", "HEAD"], [], []]
    assert all(one.invert_match for one in lists(found.virtual_hosts[0])[0][2].match.headers)


def test_literal_characters_in_a_template_are_no_pattern() -> None:
    route = Route("catalog", "GET", "/a.b/{id}/c+d", Access.READ)
    table = RouteTable(UP, TABLE.new, (route,))
    found = route_pb2.RouteConfiguration.FromString(RouteBuilder(table, ProxySettings()).configuration(START))
    (entry,) = named(found.virtual_hosts[0], route.name)
    assert entry.match.safe_regex.regex == r"/a\.b/[^/]+/c\+d"


def test_lanes_exist_only_where_somebody_can_be_believed() -> None:
    flags = edit(START, TABLE, "catalog", Edit(add_cohorts=frozenset({"staff"})), known_cohorts={"staff", "beta"})
    assert [one.name for one in configuration(flags).virtual_hosts] == ["everybody"]
    signed = ProxySettings(cohorts=frozenset({"staff", "beta"}), key=b"k" * 32)
    assert [one.name for one in configuration(flags, signed).virtual_hosts] == ["everybody", "legacy", "new", "staff"]
    by_lane = {
        one.name: [entry.route.cluster for entry in named(one, ITEMS.name)]
        for one in configuration(flags, signed).virtual_hosts
    }
    assert by_lane == {
        "everybody": ["legacy"],
        "legacy": [],  # nothing is claimed: all of it goes to legacy
        "new": ["new:catalog:legacy"],
        "staff": ["new:catalog:legacy"],
    }


def test_a_rollback_leaves_no_lane_that_leads_to_new() -> None:
    signed = ProxySettings(cohorts=frozenset({"staff"}), key=b"k" * 32)
    flags = edit(START, TABLE, "catalog", Edit(percent=50, add_cohorts=frozenset({"staff"})), known_cohorts={"staff"})
    for host in configuration(rollback(flags, TABLE, "catalog"), signed).virtual_hosts:
        assert {one.route.cluster for one in named(host, ITEMS.name)} <= {"legacy"}


def test_the_retry_of_the_fallback_is_shared_but_for_other_time_limits() -> None:
    flags = edit(edit(START, TABLE, "catalog", Edit(percent=100)), TABLE, "reports", Edit(percent=100))
    shared = configuration(flags).virtual_hosts[0].retry_policy
    assert shared.per_try_timeout.ToMilliseconds() == 1500
    assert not entries(flags, ITEMS.name)[0].route.HasField("retry_policy")
    own = entries(flags, REPORT.name)[0].route
    assert own.retry_policy.per_try_timeout.ToMilliseconds() == 60_000
    assert own.timeout.ToMilliseconds() == 61_500


def test_the_same_flags_give_the_same_bytes_however_they_came_about() -> None:
    builder = RouteBuilder(TABLE, ProxySettings())
    ways = [edit(START, TABLE, "catalog", Edit(percent=p)) for p in (0, 50, 100, 50)]
    built = [builder.configuration(FlagSet(9, flags.flags)) for flags in ways]
    assert built[1] == built[3] == RouteBuilder(TABLE, ProxySettings()).configuration(FlagSet(9, ways[1].flags))


PATHS = (
    "/",
    "/a",
    "/a/{x}",
    "/a/{x}/b",
    "/{y}/c/d",
    "/__strangler{z}",
    "/a/b/{x}",
    "/longer/way/to/{x}",
    "/longer/way",
)
MANY = RouteTable(
    UP,
    {"one": UP, "two": UP},
    tuple(
        Route(("one", "two")[n % 2], method, path.replace("{z}", "x"), Access.READ)
        for n, path in enumerate(PATHS)
        for method in ("GET", "HEAD")
    ),
)
STEPS = st.tuples(
    st.sampled_from(["one", "two"]),
    st.one_of(
        st.none(),  # a rollback
        st.builds(Edit, percent=st.sampled_from([0.0, 0.5, 50.0, 100.0]), fallback=st.none()),
        st.builds(Edit, pin=st.sampled_from(Side)),
        st.just(Edit(unpin=True)),
        st.just(Edit(add_cohorts=frozenset({"staff"}))),
        st.just(Edit(remove_cohorts=frozenset({"staff"}))),
    ),
    st.sampled_from([None, 0, 1]),
)


@settings(max_examples=25, deadline=None)
@given(st.lists(STEPS, min_size=1, max_size=8))
def test_what_is_made_version_after_version_is_what_is_made_at_once(steps: list[tuple[str, Edit | None, int]]) -> None:
    signed = ProxySettings(cohorts=frozenset({"staff"}), key=b"k" * 32)
    builder, flags = RouteBuilder(MANY, signed), FlagSet(0)
    for capability, change, which in steps:
        if change is None:
            flags = rollback(flags, MANY, capability)
        else:
            route = None if which is None else MANY.of(capability)[which].name
            flags = edit(flags, MANY, capability, change, route=route, known_cohorts={"staff"})
        assert builder.configuration(flags) == RouteBuilder(MANY, signed).configuration(flags)


def test_a_parameter_at_the_end_needs_no_pattern() -> None:
    """One pattern a depth says that it is one segment; the entry says how the path begins."""
    host = configuration(START).virtual_hosts[0]
    (entry,) = named(host, ITEM.name)
    assert entry.match.prefix == "/api/items/"
    patterns = [
        one.predicate.single_predicate.value_match.safe_regex.regex for one in host.matcher.matcher_list.matchers
    ]
    assert patterns == [r"(?:/[^/?]+){2}(?:\?\C*)?", r"(?:/[^/?]+){3}(?:\?\C*)?"]


def test_without_issuing_who_is_unknown_stays_on_legacy() -> None:
    flags = edit(START, TABLE, "catalog", Edit(percent=50))
    known, unknown = entries(flags, ITEMS.name, ProxySettings(Identity(cookie="session", issue=False)))
    assert known.match.headers[0].string_match.contains == "session="
    assert unknown.route.cluster == "legacy"
    assert [one.cookie.name for one in known.route.hash_policy] == ["session"]
