"""Flags and routes as Envoy routes: which cluster a request of each lane goes to.

A *lane* is what a request is taken for: ``everybody``, an override to a side, or a cohort. Each lane is a virtual host,
chosen by a header that only the proxy sets, so that the list everybody walks through holds no entry for the others.

Per route and lane there is one entry, or two while users are split: one for users who have an identity, one for those
who get it with this response. Both hash the identity, mixed with the capability's salt, into 10,000 buckets; the new
side comes first, so that a growing percent only ever adds users to it.

Entries are kept as serialised bytes and put together by hand: with a thousand routes, building the messages anew for
each version costs more than Envoy takes to apply them.
"""

from __future__ import annotations

import re
from functools import lru_cache

from envoy.config.core.v3 import base_pb2
from envoy.config.route.v3 import route_components_pb2, route_pb2
from envoy.extensions.retry.priority.previous_priorities.v3 import previous_priorities_config_pb2

from proxy.envoy import names, wire
from proxy.envoy.clusters import milliseconds, packed
from proxy.flags import Flag, FlagSet
from proxy.routes import Route, RouteTable, Side, Upstream, by_precedence
from proxy.settings import Identity, ProxySettings

BUCKETS = 10_000
COOKIE_SECONDS = 365 * 24 * 3600
RETRY_ON = "5xx,reset,connect-failure,refused-stream"

_OVERWRITE = base_pb2.HeaderValueOption.OVERWRITE_IF_EXISTS_OR_ADD


def route_configuration(table: RouteTable, flags: FlagSet, settings: ProxySettings) -> bytes:
    """The serialised RouteConfiguration of one version."""
    heads = {(route.method, route.shape) for route in table.routes if route.method == "HEAD"}
    ordered = [(route, flags.of(route.name), ("HEAD", route.shape) in heads) for route in by_precedence(table.routes)]
    head = route_pb2.RouteConfiguration(name=names.ROUTE_CONFIG_NAME, vhost_header=names.LANE_HEADER)
    head.response_headers_to_add.extend(
        [
            _header(names.VERSION_HEADER, str(flags.version)),
            _header(names.SIDE_HEADER, f"%UPSTREAM_METADATA({names.METADATA}:{names.SIDE_KEY})%"),
        ]
    )
    version = route_components_pb2.Route(name=names.VERSION_PATH)
    version.match.path = names.VERSION_PATH
    version.direct_response.status = 200
    version.direct_response.body.inline_string = str(flags.version)
    tail = wire.field(_ROUTES, version.SerializeToString(deterministic=True)) + _catch_all(table.legacy, settings)
    usual = _usual_try_ms(table)
    retries = _retries(usual)
    hosts = []
    for lane, domain in _lanes(flags, settings).items():
        entries = b"".join(
            _entries(route, flag, has_head, lane, table.legacy, table.new[route.capability], settings, usual)
            for route, flag, has_head in ordered
        )
        host = route_components_pb2.VirtualHost(name=lane, domains=[domain])
        # For what the proxy answers itself; the configuration's own header, evaluated after this, overwrites it with
        # the side of the upstream if there was one.
        host.response_headers_to_add.append(_header(names.SIDE_HEADER, "proxy"))
        host.retry_policy.CopyFrom(retries)
        hosts.append(wire.field(_HOSTS, host.SerializeToString(deterministic=True) + entries + tail))
    return bytes(head.SerializeToString(deterministic=True)) + b"".join(hosts)


_HOSTS = route_pb2.RouteConfiguration.DESCRIPTOR.fields_by_name["virtual_hosts"].number
_ROUTES = route_components_pb2.VirtualHost.DESCRIPTOR.fields_by_name["routes"].number


def _lanes(flags: FlagSet, settings: ProxySettings) -> dict[str, str]:
    """Domain by lane. A cohort that no flag names has no lane: its members are like everybody."""
    lanes = {names.EVERYBODY: "*"}
    if settings.key is not None or settings.networks:
        lanes |= {str(side): str(side) for side in Side}
        used = frozenset[str]().union(*(flag.cohorts for flag in flags.flags.values()))
        lanes |= {cohort: cohort for cohort in sorted(used & settings.cohorts)}
    return lanes


@lru_cache(maxsize=50_000)
def _entries(
    route: Route,
    flag: Flag,
    has_head: bool,
    lane: str,
    legacy: Upstream,
    new: Upstream,
    settings: ProxySettings,
    usual_try_ms: int,
) -> bytes:
    """The entries of one route in one lane, as fields of a virtual host."""
    percent = _percent(flag, lane)
    if percent in (0, 100):
        side = Side.NEW if percent else Side.LEGACY
        only = _entry(route, has_head, _to_one(route, flag, side, legacy, new))
        if side is Side.NEW and flag.fallback and route.may_fall_back:
            only.request_headers_to_add.append(_header(names.FALLBACK_HEADER, Side.LEGACY))
        entries = [only]
    else:
        known = _entry(route, has_head, _split(route, flag, percent, settings, legacy, new, known=True))
        _only_known(known.match, settings.identity)
        entries = [known]
        if settings.identity.issues:
            fresh = _entry(route, has_head, _split(route, flag, percent, settings, legacy, new, known=False))
            fresh.response_headers_to_add.append(_issue(settings.identity))
        else:
            # Who can't be recognised can't be kept on one side, and stays where everybody comes from.
            fresh = _entry(route, has_head, _to_one(route, flag, Side.LEGACY, legacy, new))
        entries.append(fresh)
    if flag.fallback and route.may_fall_back and _try_ms(legacy, new) != usual_try_ms:
        for entry in entries:
            entry.route.retry_policy.CopyFrom(_retries(_try_ms(legacy, new)))
    return b"".join(wire.field(_ROUTES, entry.SerializeToString(deterministic=True)) for entry in entries)


def _percent(flag: Flag, lane: str) -> float:
    """What share of a lane's users goes to new; the precedence written down in ``proxy.flags``."""
    if flag.pin is not None:
        return 100 if flag.pin is Side.NEW else 0
    if lane == names.EVERYBODY:
        return flag.percent
    if lane in (Side.LEGACY, Side.NEW):
        return 100 if lane == Side.NEW else 0
    return 100 if lane in flag.cohorts else flag.percent


def _entry(route: Route, has_head: bool, action: route_components_pb2.RouteAction) -> route_components_pb2.Route:
    entry = route_components_pb2.Route(name=route.name, route=action)
    method = entry.match.headers.add(name=":method")
    if route.method == "GET" and not has_head:
        method.string_match.safe_regex.regex = "GET|HEAD"
    else:
        method.string_match.exact = route.method
    if None in route.shape:
        entry.match.safe_regex.regex = "/" + "/".join("[^/]+" if p is None else re.escape(p) for p in route.shape)
    else:
        entry.match.path = route.path
    entry.response_headers_to_add.append(_header(names.ROUTE_HEADER, route.name))
    return entry


def _to_one(route: Route, flag: Flag, side: Side, legacy: Upstream, new: Upstream) -> route_components_pb2.RouteAction:
    action = route_components_pb2.RouteAction()
    if side is Side.LEGACY:
        action.cluster = names.LEGACY_CLUSTER
        action.timeout.CopyFrom(milliseconds(legacy.timeout_ms))
    elif flag.fallback and route.may_fall_back:
        action.cluster = names.fallback_cluster(route.capability)
        action.timeout.CopyFrom(milliseconds(legacy.timeout_ms + new.timeout_ms))
    else:
        action.cluster = names.new_cluster(route.capability)
        action.timeout.CopyFrom(milliseconds(new.timeout_ms))
    return action


def _split(
    route: Route,
    flag: Flag,
    percent: float,
    settings: ProxySettings,
    legacy: Upstream,
    new: Upstream,
    *,
    known: bool,
) -> route_components_pb2.RouteAction:
    action = route_components_pb2.RouteAction()
    weighted = action.weighted_clusters
    weighted.use_hash_policy.value = True
    buckets = round(percent * BUCKETS / 100)
    falls_back = flag.fallback and route.may_fall_back
    to_new = weighted.clusters.add(
        name=names.fallback_cluster(route.capability) if falls_back else names.new_cluster(route.capability)
    )
    to_new.weight.value = buckets
    weighted.clusters.add(name=names.LEGACY_CLUSTER).weight.value = BUCKETS - buckets
    if falls_back:
        action.timeout.CopyFrom(milliseconds(legacy.timeout_ms + new.timeout_ms))
        to_new.request_headers_to_add.append(_header(names.FALLBACK_HEADER, Side.LEGACY))
    else:
        action.timeout.CopyFrom(milliseconds(max(legacy.timeout_ms, new.timeout_ms)))
    identity = settings.identity
    if not known:
        action.hash_policy.add().header.header_name = "x-request-id"  # becomes the cookie: see _issue
    elif identity.header is not None:
        action.hash_policy.add().header.header_name = identity.header
    else:
        action.hash_policy.add().cookie.name = identity.cookie or ""
    # Envoy combines the hashes of several policies (rotate, xor). The second one is a constant of the capability: the
    # method is only a header that is always there, rewritten to the salt.
    salt = action.hash_policy.add().header
    salt.header_name = ":method"
    salt.regex_rewrite.pattern.regex = ".+"
    salt.regex_rewrite.substitution = f"{settings.salt}:{route.capability}".replace("\\", "\\\\")
    return action


@lru_cache(maxsize=64)
def _retries(try_ms: int) -> route_components_pb2.RetryPolicy:
    """What failed on new is sent once more, to legacy: if the request carries the fallback's header, which it gets on
    its way to new and nowhere else. The policy of the virtual hosts, because one of its own would cost each entry more
    than all the rest of it; only entries with another time limit have theirs."""
    retry = route_components_pb2.RetryPolicy(retry_on=RETRY_ON)
    retry.num_retries.value = 1
    retry.retriable_request_headers.add(name=names.FALLBACK_HEADER).present_match = True
    retry.per_try_timeout.CopyFrom(milliseconds(try_ms))
    retry.retry_back_off.base_interval.CopyFrom(milliseconds(1))
    retry.retry_priority.name = "envoy.retry_priorities.previous_priorities"
    retry.retry_priority.typed_config.CopyFrom(
        packed(previous_priorities_config_pb2.PreviousPrioritiesConfig(update_frequency=1))
    )
    return retry


def _try_ms(legacy: Upstream, new: Upstream) -> int:
    return max(legacy.timeout_ms, new.timeout_ms)


def _usual_try_ms(table: RouteTable) -> int:
    """The most frequent time limit of one try; the shortest of them where several are."""
    limits = sorted(_try_ms(table.legacy, new) for new in table.new.values())
    return max(limits, key=limits.count, default=table.legacy.timeout_ms)


def _only_known(match: route_components_pb2.RouteMatch, identity: Identity) -> None:
    if identity.header is not None:
        match.headers.add(name=identity.header).present_match = True
    else:
        match.headers.add(name="cookie").string_match.contains = f"{identity.cookie}="


@lru_cache(maxsize=16)
def _catch_all(legacy: Upstream, settings: ProxySettings) -> bytes:
    entries = []
    issues = settings.identity.issues
    for known in (True, False) if issues else (True,):
        entry = route_components_pb2.Route(name=names.UNCLAIMED)
        entry.match.prefix = "/"
        entry.route.cluster = names.LEGACY_CLUSTER
        entry.route.retry_policy.SetInParent()  # none
        entry.route.timeout.CopyFrom(milliseconds(legacy.timeout_ms))
        entry.response_headers_to_add.append(_header(names.ROUTE_HEADER, names.UNCLAIMED))
        if issues and known:
            _only_known(entry.match, settings.identity)
        elif issues:
            entry.response_headers_to_add.append(_issue(settings.identity))
        entries.append(entry)
    return b"".join(wire.field(_ROUTES, entry.SerializeToString(deterministic=True)) for entry in entries)


def _issue(identity: Identity) -> base_pb2.HeaderValueOption:
    """The identity cookie for who has none: the request's own id, which has just put this request into its bucket."""
    value = f"{identity.cookie}=%REQ(x-request-id)%; Path=/; Max-Age={COOKIE_SECONDS}; HttpOnly; SameSite=Lax"
    return _header("set-cookie", value, base_pb2.HeaderValueOption.APPEND_IF_EXISTS_OR_ADD)


def _header(
    key: str, value: str, action: base_pb2.HeaderValueOption.HeaderAppendAction = _OVERWRITE
) -> base_pb2.HeaderValueOption:
    return base_pb2.HeaderValueOption(header=base_pb2.HeaderValue(key=key, value=value), append_action=action)
