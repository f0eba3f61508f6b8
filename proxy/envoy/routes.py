"""Flags and routes as Envoy routes: which cluster a request of each lane goes to.

A *lane* is what a request is taken for: ``everybody``, an override to a side, or a cohort. Each lane is a virtual host,
chosen by a header that only the proxy sets, so that the list everybody walks through holds no entry for the others.

Per route and lane there is one entry: what Envoy takes to apply a version grows with their number. While users are
split, an entry hashes the identity, or the request's id that becomes the identity of who has none, into the
capability's own number of buckets; the new side comes first, so that a growing percent only ever adds users to it.

Entries are put together from serialised parts: with a thousand routes, building the messages anew for each version
costs more than Envoy takes to apply them. (Two messages of one type, one after the other on the wire, are one merged.)
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from envoy.config.core.v3 import base_pb2, config_source_pb2
from envoy.config.route.v3 import route_components_pb2, route_pb2
from envoy.extensions.filters.http.on_demand.v3 import on_demand_pb2
from envoy.extensions.retry.priority.previous_priorities.v3 import previous_priorities_config_pb2
from google.protobuf.message import Message

from proxy.envoy import lookup, names, wire
from proxy.envoy.clusters import milliseconds, packed
from proxy.envoy.groups import group, literal
from proxy.flags import Flag, FlagSet, Hold
from proxy.routes import Access, Route, RouteTable, Side, Upstream, by_precedence
from proxy.settings import Identity, ProxySettings

RETRY_ON = "5xx,reset,connect-failure,refused-stream"

_OVERWRITE = base_pb2.HeaderValueOption.OVERWRITE_IF_EXISTS_OR_ADD

_CONFIGURATION = route_pb2.RouteConfiguration.DESCRIPTOR.fields_by_name
_HOSTS = _CONFIGURATION["virtual_hosts"].number
_HEADERS = _CONFIGURATION["response_headers_to_add"].number

# What share of a lane's users goes to new, whether legacy answers what fails there, and the hold that is on.
_Wanted = tuple[float, bool, Hold | None]
# Where a list of routes stands: the paths' depth, and their beginning (None: the rest of that depth).
_Place = tuple[int, str | None]

_OVERRIDES = frozenset(map(str, Side))


@dataclass(frozen=True)
class _Prepared:
    """A route with what never changes about its entries: name, match and header, serialised."""

    route: Route
    anybody: bytes
    known: bytes  # only for users who have an identity


class RouteBuilder:
    """Makes the route configuration of one version after another. Same flags, same bytes; what has not changed since
    the last version is not made again."""

    def __init__(self, table: RouteTable, settings: ProxySettings) -> None:
        self._table = table
        self._settings = settings
        ordered = by_precedence(table.routes)
        prepared = {route.name: _prepare(route, settings) for route in ordered}
        by_depth: dict[int, list[Route]] = {}
        for route in ordered:
            by_depth.setdefault(route.depth, []).append(route)
        self._lists: dict[_Place, list[_Prepared]] = {}
        self._beginnings: dict[int, list[str]] = {}
        for depth, routes in sorted(by_depth.items(), key=lambda each: -len(each[1])):
            groups = group(routes)
            self._beginnings[depth] = list(groups.by_beginning)
            for beginning, some in (*groups.by_beginning.items(), (None, groups.rest)):
                self._lists[depth, beginning] = [prepared[route.name] for route in some]
        self._override_lists: dict[_Place, list[_Prepared]] = {
            (depth, None): [prepared[route.name] for route in routes] for depth, routes in by_depth.items()
        }
        self._actions = _Actions(table, settings)
        self._places: dict[str, list[_Place]] = {route.name: [] for route in ordered}
        for place, found in self._lists.items():
            for one in found:
                self._places[one.route.name].append(place)
        self._routes = {route.name: route for route in ordered}
        self._depths = {route.name: route.depth for route in ordered}
        self._all = _unclaimed(table.legacy, reads=True)
        # What was made for the last version (``_flags``, ``_holds``): per lane its lists, per route its entries.
        self._flags: Mapping[str, Flag] = {}
        self._holds: Mapping[str, Hold] = {}
        self._branches: dict[str, dict[_Place, bytes]] = {}
        self._made: dict[tuple[str, str], tuple[_Wanted, bytes]] = {}

    def configuration(self, flags: FlagSet) -> bytes:
        """The serialised RouteConfiguration."""
        self._turn_to(flags)
        said = wire.field(_HEADERS, _bytes(_header(names.VERSION_HEADER, str(flags.version))))
        version = _version(flags.version)
        hosts = [self._host(lane, flags, version) for lane in _lanes(flags, self._settings)]
        return _every_version() + said + b"".join(wire.field(_HOSTS, host) for host in hosts)

    def _turn_to(self, flags: FlagSet) -> None:
        """Forget the branches in which something is different now. A flip changes few of a thousand routes: looking at
        the others costs more than all the rest of it."""
        before = FlagSet(0, self._flags, self._holds)
        for name in self._touched(before, flags):
            for lane, made in self._branches.items():
                if _wanted(before, self._routes[name], lane) != _wanted(flags, self._routes[name], lane):
                    for place in self._places_of(name, lane):
                        made.pop(place, None)
        self._flags, self._holds = dict(flags.flags), dict(flags.holds)

    def _touched(self, before: FlagSet, after: FlagSet) -> set[str]:
        """Routes whose flag is another one, and those of a capability whose hold is."""
        found = set()
        for name in before.flags.keys() | after.flags.keys():
            old, new = before.of(name), after.of(name)
            if old is not new and old != new and name in self._routes:
                found.add(name)
        for capability in before.holds.keys() | after.holds.keys():
            if before.held(capability) != after.held(capability):
                found |= {route.name for route in self._table.of(capability)}
        return found

    def _places_of(self, name: str, lane: str) -> list[_Place]:
        """Where a lane has entries of this route."""
        if name not in self._depths:
            return []
        return [(self._depths[name], None)] if lane in _OVERRIDES else self._places[name]

    def _host(self, lane: str, flags: FlagSet, version: bytes) -> bytes:
        depths = []
        for depth, beginnings in self._beginnings.items():
            # Few requests are overridden: a list to walk through costs less than many to deliver.
            some = [] if lane in _OVERRIDES else beginnings
            branches = [self._branch(lane, flags, (depth, beginning), version) for beginning in some]
            depths.append(lookup.depth(depth, branches, self._list(lane, flags, (depth, None)) + version + self._all))
        return _head(lane, self._actions.usual_try_ms) + lookup.matcher(depths, version + self._all)

    def _branch(self, lane: str, flags: FlagSet, place: tuple[int, str], version: bytes) -> bytes:
        beginning = place[1]
        if names.VERSION_PATH.startswith(beginning):
            return lookup.branch(beginning, self._list(lane, flags, place) + version + self._all)
        made = self._branches.setdefault(lane, {})
        if place not in made:
            made[place] = lookup.branch(beginning, self._make_list(lane, flags, self._lists[place]) + self._all)
        return made[place]

    def _list(self, lane: str, flags: FlagSet, place: _Place) -> bytes:
        """The list of a place that the version's probe may have to follow."""
        made = self._branches.setdefault(lane, {})
        if place not in made:
            lists = self._override_lists if lane in _OVERRIDES else self._lists
            made[place] = self._make_list(lane, flags, lists[place])
        return made[place]

    def _make_list(self, lane: str, flags: FlagSet, routes: list[_Prepared]) -> bytes:
        """Entries that are tried one after the other; one that takes everything is still to follow.

        First what names its method, then a guard that takes all other methods away, then GET with HEAD, which so
        needs no look at the method any more.
        """
        by_method: list[bytes] = []
        reads: list[bytes] = []
        for one in routes:
            what = _wanted(flags, one.route, lane)
            if lane == Side.LEGACY and what[0] == 0 and one.route.access is Access.READ:
                continue  # what nobody claims goes to legacy
            made = self._entries(one, what, lane)
            (reads if one.route.method == "GET" else by_method).append(made)
        guard = _unclaimed(self._table.legacy, reads=False) if reads else b""
        return b"".join([*by_method, guard, *reads])

    def _entries(self, one: _Prepared, wanted: _Wanted, lane: str) -> bytes:
        """One route's entries in one lane, as fields of a list of routes."""
        made = self._made.get((lane, one.route.name))
        if made is not None and made[0] == wanted:
            return made[1]
        found = b"".join(wire.field(lookup.ROUTES, entry) for entry in self._make(one, *wanted))
        self._made[lane, one.route.name] = wanted, found
        return found

    def _make(self, one: _Prepared, percent: float, fallback: bool, hold: Hold | None) -> list[bytes]:
        actions, capability = self._actions, one.route.capability
        falls_back = fallback and one.route.may_fall_back
        if hold is not None:
            return [one.anybody + actions.held(capability, hold)]
        if one.route.access is Access.WRITE and (percent == 0 or (percent == 100 and not falls_back)):
            return [one.anybody + actions.write(capability, Side.NEW if percent else Side.LEGACY)]
        if percent == 0:
            return [one.anybody + actions.to_legacy()]
        if percent == 100:
            return [one.anybody + actions.to_new(capability, falls_back)]
        split = actions.split(capability, percent, falls_back)
        if self._settings.identity.issues:
            return [one.anybody + split]
        # Who can't be recognised can't be kept on one side, and stays where everybody comes from.
        return [one.known + split, one.anybody + actions.to_legacy()]


class _Actions:
    """What entries do, as serialised parts of an Envoy route. Routes of a capability with the same flag share them."""

    def __init__(self, table: RouteTable, settings: ProxySettings) -> None:
        self._table = table
        self._settings = settings
        limits = sorted(_try_ms(table.legacy, new) for new in table.new.values())
        # The most frequent time limit of one try: see _retries.
        self.usual_try_ms = max(limits, key=limits.count, default=table.legacy.timeout_ms)
        self.to_legacy = lru_cache(self._to_legacy)
        self.to_new = lru_cache(maxsize=4096)(self._to_new)
        self.split = lru_cache(maxsize=4096)(self._split)
        self.write = lru_cache(maxsize=4096)(self._write)
        self.held = lru_cache(maxsize=64)(self._held)

    def _write(self, capability: str, side: Side) -> bytes:
        return _bytes(self._alone(names.writes_cluster(capability, side), self._table.upstream(capability, side)))

    def _held(self, capability: str, hold: Hold) -> bytes:
        """Waits for the cluster to be published. The time limit of the request itself begins when it goes on."""
        sides = (self._table.legacy, self._table.new[capability])
        result = self._alone(
            names.hold_cluster(capability, hold.epoch), max(sides, key=lambda upstream: upstream.timeout_ms)
        )
        waits = on_demand_pb2.PerRouteConfig()
        waits.odcds.source.ads.SetInParent()
        waits.odcds.source.resource_api_version = config_source_pb2.V3
        waits.odcds.timeout.CopyFrom(milliseconds(hold.timeout_ms))
        result.typed_per_filter_config[names.ON_DEMAND_FILTER].CopyFrom(packed(waits))
        return _bytes(result)

    @staticmethod
    def _alone(cluster: str, upstream: Upstream) -> route_components_pb2.Route:
        """To one cluster, never sent twice."""
        result = route_components_pb2.Route()
        result.route.cluster = cluster
        result.route.retry_policy.SetInParent()  # none
        result.route.timeout.CopyFrom(milliseconds(upstream.timeout_ms))
        return result

    def _to_legacy(self) -> bytes:
        return _bytes(self._alone(names.LEGACY_CLUSTER, self._table.legacy))

    def _to_new(self, capability: str, falls_back: bool) -> bytes:
        new = self._table.new[capability]
        if not falls_back:
            return _bytes(self._alone(names.new_cluster(capability), new))
        result = route_components_pb2.Route()
        result.route.cluster = names.fallback_cluster(capability)
        self._limit(result.route, new)
        return _bytes(result)

    def _split(self, capability: str, percent: float, falls_back: bool) -> bytes:
        result = route_components_pb2.Route()
        legacy, new, identity = self._table.legacy, self._table.new[capability], self._settings.identity
        weighted = result.route.weighted_clusters
        weighted.use_hash_policy.value = True
        of = buckets(self._settings.salt, capability)
        to_new = round(percent * of / 100)
        if falls_back:
            weighted.clusters.add(name=names.fallback_cluster(capability)).weight.value = to_new
            self._limit(result.route, new)
        else:
            weighted.clusters.add(name=names.new_cluster(capability)).weight.value = to_new
            result.route.retry_policy.SetInParent()
            result.route.timeout.CopyFrom(milliseconds(_try_ms(legacy, new)))
        weighted.clusters.add(name=names.LEGACY_CLUSTER).weight.value = of - to_new
        policies = result.route.hash_policy
        if identity.header is not None:
            policies.add().header.header_name = identity.header
            return _bytes(result)
        policies.add(terminal=True).cookie.name = identity.cookie or ""
        if identity.issues:
            policies.add().header.header_name = names.REQUEST_ID
        return _bytes(result)

    def _limit(self, action: route_components_pb2.RouteAction, new: Upstream) -> None:
        """Time limits where legacy may have to answer after new had its try."""
        legacy = self._table.legacy
        action.timeout.CopyFrom(milliseconds(legacy.timeout_ms + new.timeout_ms))
        if _try_ms(legacy, new) != self.usual_try_ms:
            action.retry_policy.CopyFrom(_retries(_try_ms(legacy, new)))


@lru_cache(maxsize=4096)
def buckets(salt: str, capability: str) -> int:
    """How many buckets a capability's users fall into: hash modulo this number. Every capability has a number of its
    own, between 2**31 and 2**32, which makes its buckets independent of the others' without a second hash."""
    digest = hashlib.blake2b(f"{salt}:{capability}".encode(), digest_size=4).digest()
    return 2**31 + (int.from_bytes(digest) >> 1 | 1)


def _lanes(flags: FlagSet, settings: ProxySettings) -> list[str]:
    """A cohort that no flag names has no lane: its members are like everybody."""
    if settings.key is None and not settings.networks:
        return [names.EVERYBODY]
    used = frozenset[str]().union(*(flag.cohorts for flag in flags.flags.values()))
    return [names.EVERYBODY, *map(str, Side), *sorted(used & settings.cohorts)]


def _wanted(flags: FlagSet, route: Route, lane: str) -> _Wanted:
    """The precedence written down in ``proxy.flags``."""
    flag = flags.of(route.name)
    if route.access is Access.WRITE:
        percent = flag.percent if flag.pin is None else 100 if flag.pin is Side.NEW else 0
        return percent, flag.fallback, flags.held(route.capability)
    if flag.pin is not None:
        return (100 if flag.pin is Side.NEW else 0), flag.fallback, None
    if lane in _OVERRIDES:
        return (100 if lane == Side.NEW else 0), flag.fallback, None
    return (100 if lane in flag.cohorts else flag.percent), flag.fallback, None


def _prepare(route: Route, settings: ProxySettings) -> _Prepared:
    entry = route_components_pb2.Route(name=route.name)
    if route.method != "GET":
        entry.match.headers.add(name=":method").string_match.exact = route.method
    if None in route.shape and None not in route.shape[:-1]:
        # One parameter, the last segment: of the paths of this depth, those that begin so.
        entry.match.prefix = literal(route)
    elif None in route.shape:
        entry.match.safe_regex.regex = "/" + "/".join("[^/]+" if p is None else re.escape(p) for p in route.shape)
    else:
        entry.match.path = route.path
    anybody = _bytes(entry)
    _only_known(entry.match, settings.identity)
    return _Prepared(route, anybody, _bytes(entry))


@lru_cache(maxsize=1)
def _every_version() -> bytes:
    """What route configurations of all versions begin with."""
    result = route_pb2.RouteConfiguration(name=names.ROUTE_CONFIG_NAME, vhost_header=names.LANE_HEADER)
    result.response_headers_to_add.extend(
        [
            _header(names.SIDE_HEADER, f"%UPSTREAM_METADATA({names.METADATA}:{names.SIDE_KEY})%"),
            _header(names.ROUTE_HEADER, "%ROUTE_NAME%"),
            _header(names.FALLBACK_HEADER, f"%UPSTREAM_METADATA({names.METADATA}:{names.FALLBACK_KEY})%"),
        ]
    )
    return _bytes(result)


@lru_cache(maxsize=256)
def _head(lane: str, usual_try_ms: int) -> bytes:
    """A virtual host without its routes."""
    host = route_components_pb2.VirtualHost(name=lane, domains=["*" if lane == names.EVERYBODY else lane])
    host.retry_policy.CopyFrom(_retries(usual_try_ms))
    return _bytes(host)


@lru_cache(maxsize=64)
def _retries(try_ms: int) -> route_components_pb2.RetryPolicy:
    """What failed on new is sent once more, to legacy; only clusters with legacy behind new allow retries at all. The
    policy of the virtual hosts, because one of its own would cost each entry more than all the rest of it; only
    entries with another time limit have theirs."""
    retry = route_components_pb2.RetryPolicy(retry_on=RETRY_ON)
    retry.num_retries.value = 1
    retry.per_try_timeout.CopyFrom(milliseconds(try_ms))
    retry.retry_back_off.base_interval.CopyFrom(milliseconds(1))
    retry.retry_priority.name = "envoy.retry_priorities.previous_priorities"
    retry.retry_priority.typed_config.CopyFrom(
        packed(previous_priorities_config_pb2.PreviousPrioritiesConfig(update_frequency=1))
    )
    return retry


def _try_ms(legacy: Upstream, new: Upstream) -> int:
    return max(legacy.timeout_ms, new.timeout_ms)


def _only_known(match: route_components_pb2.RouteMatch, identity: Identity) -> None:
    if identity.header is not None:
        match.headers.add(name=identity.header).present_match = True
    else:
        match.headers.add(name="cookie").string_match.contains = f"{identity.cookie}="


def _version(version: int) -> bytes:
    """The probe's answer: which version this worker has."""
    entry = route_components_pb2.Route(name=names.VERSION_PATH)
    entry.match.path = names.VERSION_PATH
    entry.direct_response.status = 200
    entry.direct_response.body.inline_string = str(version)
    return wire.field(lookup.ROUTES, _bytes(entry))


@lru_cache(maxsize=64)
def _unclaimed(legacy: Upstream, *, reads: bool) -> bytes:
    """To legacy: everything (``reads``), or all but GET and HEAD."""
    entry = route_components_pb2.Route(name=names.UNCLAIMED)
    entry.match.prefix = "/"
    if not reads:
        for method in ("GET", "HEAD"):
            entry.match.headers.add(name=":method", invert_match=True).string_match.exact = method
    entry.route.cluster = names.LEGACY_CLUSTER
    entry.route.retry_policy.SetInParent()  # none
    entry.route.timeout.CopyFrom(milliseconds(legacy.timeout_ms))
    return wire.field(lookup.ROUTES, _bytes(entry))


def _header(key: str, value: str) -> base_pb2.HeaderValueOption:
    return base_pb2.HeaderValueOption(header=base_pb2.HeaderValue(key=key, value=value), append_action=_OVERWRITE)


def _bytes(message: Message) -> bytes:
    return message.SerializeToString(deterministic=True)
