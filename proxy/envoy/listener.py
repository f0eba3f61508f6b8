"""The listener clients come in by, with what every request passes: lean, because each step costs every request.

Whatever a client sends to steer is taken away before a route is chosen (invariant 6): ``x-strangler-lane`` is
overwritten in every request, and set again only from a signed token or from a declared network.
"""

from __future__ import annotations

from ipaddress import ip_network

from envoy.config.accesslog.v3 import accesslog_pb2
from envoy.config.core.v3 import address_pb2, base_pb2, config_source_pb2
from envoy.config.listener.v3 import listener_components_pb2, listener_pb2
from envoy.extensions.access_loggers.stats.v3 import stats_pb2
from envoy.extensions.common.matching.v3 import extension_matcher_pb2
from envoy.extensions.filters.common.matcher.action.v3 import skip_action_pb2
from envoy.extensions.filters.http.header_mutation.v3 import header_mutation_pb2 as header_filter_pb2
from envoy.extensions.filters.http.jwt_authn.v3 import config_pb2 as jwt_pb2
from envoy.extensions.filters.http.on_demand.v3 import on_demand_pb2
from envoy.extensions.filters.http.router.v3 import router_pb2
from envoy.extensions.filters.network.http_connection_manager.v3 import http_connection_manager_pb2 as hcm_pb2
from envoy.extensions.http.early_header_mutation.header_mutation.v3 import header_mutation_pb2
from envoy.extensions.request_id.uuid.v3 import uuid_pb2
from envoy.type.matcher.v3 import http_inputs_pb2
from google.protobuf.any_pb2 import Any
from google.protobuf.empty_pb2 import Empty

from proxy import cohort
from proxy.envoy import names, wire
from proxy.envoy.clusters import packed, socket_address
from proxy.settings import ProxySettings

COOKIE_SECONDS = 365 * 24 * 3600
STATS_PREFIX = "strangler"
# A histogram of microseconds from the request's first byte to the response's last.
TIME = "strangler.time"
# And a counter of requests whose client left before the answer.
ABANDONED = "strangler.abandoned"
TAG = "of"  # route, side, status, tries
SEPARATOR = "|"
_STATS_SCOPE = 6  # envoy.extensions.access_loggers.stats.v3.Config
_SCOPE_PREFIX = 5  # envoy.type.v3.Scope
_HTTP_FILTER = hcm_pb2.HttpFilter


def listener(settings: ProxySettings) -> listener_pb2.Listener:
    """The listener, without an address: that is the proxy's own and comes with its node (``bind``)."""
    result = listener_pb2.Listener(name=names.LISTENER_NAME)
    if settings.networks:
        trusted = result.filter_chains.add(name="declared-networks")
        trusted.filter_chain_match.source_prefix_ranges.extend(_range(network) for network in settings.networks)
        trusted.filters.append(_manager(settings, trusted=True))
    everybody = result.filter_chains.add(name=names.EVERYBODY)
    everybody.filters.append(_manager(settings, trusted=False))
    return result


def bind(resource: listener_pb2.Listener, host: str, port: int) -> listener_pb2.Listener:
    """The same listener at an address."""
    result = listener_pb2.Listener()
    result.CopyFrom(resource)
    result.address.CopyFrom(socket_address(host, port))
    return result


def _range(network: str) -> address_pb2.CidrRange:
    parsed = ip_network(network, strict=False)
    result = address_pb2.CidrRange(address_prefix=str(parsed.network_address))
    result.prefix_len.value = parsed.prefixlen
    return result


def _manager(settings: ProxySettings, *, trusted: bool) -> listener_components_pb2.Filter:
    manager = hcm_pb2.HttpConnectionManager(stat_prefix="ingress")
    manager.rds.route_config_name = names.ROUTE_CONFIG_NAME
    manager.rds.config_source.ads.SetInParent()
    manager.rds.config_source.resource_api_version = config_source_pb2.V3
    # Clients count as outside: Envoy makes the request's id itself, and drops the x-envoy- headers they send.
    manager.use_remote_address.value = True
    manager.server_header_transformation = hcm_pb2.HttpConnectionManager.PASS_THROUGH
    manager.normalize_path.value = True
    manager.http_protocol_options.accept_http_10 = True
    manager.upgrade_configs.add(upgrade_type="websocket")
    manager.request_id_extension.typed_config.CopyFrom(_request_id())
    manager.early_header_mutation_extensions.add(
        name="envoy.http.early_header_mutation.header_mutation", typed_config=packed(_lane(trusted=trusted))
    )
    manager.access_log.extend(_counts())
    manager.local_reply_config.mappers.append(_own_answers())
    if settings.identity.issues:
        manager.http_filters.append(_issue(settings.identity.cookie or ""))
    if settings.key is not None:
        manager.http_filters.append(_tokens(settings.key))
    # Does nothing but on held routes, which enable it for themselves.
    manager.http_filters.append(
        _HTTP_FILTER(name=names.ON_DEMAND_FILTER, typed_config=packed(on_demand_pb2.OnDemand()))
    )
    router = router_pb2.Router(suppress_envoy_headers=True)
    router.dynamic_stats.value = False
    manager.http_filters.append(_HTTP_FILTER(name="envoy.filters.http.router", typed_config=packed(router)))
    return listener_components_pb2.Filter(
        name="envoy.filters.network.http_connection_manager", typed_config=packed(manager)
    )


def _request_id() -> Any:
    """Plain random UUIDs: a trace decision packed into them would change the id after the user was put in a bucket."""
    config = uuid_pb2.UuidRequestIdConfig()
    config.pack_trace_reason.value = False
    return packed(config)


def _own_answers() -> hcm_pb2.ResponseMapper:
    """Answers of the proxy itself say so, unless they say already which side couldn't be had."""
    mapper = hcm_pb2.ResponseMapper()
    every = mapper.filter.status_code_filter.comparison
    every.op = accesslog_pb2.ComparisonFilter.GE
    every.value.runtime_key = "strangler.own_answers_from"
    side = mapper.headers_to_add.add()
    side.header.key = names.SIDE_HEADER
    side.header.value = "proxy"
    side.append_action = base_pb2.HeaderValueOption.ADD_IF_ABSENT
    return mapper


def _lane(*, trusted: bool) -> header_mutation_pb2.HeaderMutation:
    """Before the route is chosen. A request without the header would find no virtual host at all."""
    result = header_mutation_pb2.HeaderMutation()
    values = [names.EVERYBODY]
    if trusted:
        values.append(f"%REQ({names.OVERRIDE_HEADER}?{names.COHORT_HEADER})%")  # empty where there is none: no change
    for value in values:
        append = result.mutations.add().append
        append.header.key = names.LANE_HEADER
        append.header.value = value
        append.append_action = base_pb2.HeaderValueOption.OVERWRITE_IF_EXISTS_OR_ADD
    return result


def _issue(cookie: str) -> hcm_pb2.HttpFilter:
    """The identity cookie for who has none: the request's own id, which has just put this request into its bucket."""
    mutation = header_filter_pb2.HeaderMutation()
    given = mutation.mutations.response_mutations.add().append
    given.header.key = "set-cookie"
    given.header.value = f"{cookie}=%REQ({names.REQUEST_ID})%; Path=/; Max-Age={COOKIE_SECONDS}; HttpOnly; SameSite=Lax"
    given.append_action = base_pb2.HeaderValueOption.APPEND_IF_EXISTS_OR_ADD
    delegate = extension_matcher_pb2.ExtensionWithMatcher()
    delegate.extension_config.name = "envoy.filters.http.header_mutation"
    delegate.extension_config.typed_config.CopyFrom(packed(mutation))
    known = delegate.xds_matcher.matcher_list.matchers.add()
    known.predicate.single_predicate.input.name = "cookie"
    known.predicate.single_predicate.input.typed_config.CopyFrom(
        packed(http_inputs_pb2.HttpRequestHeaderMatchInput(header_name="cookie"))
    )
    known.predicate.single_predicate.value_match.contains = f"{cookie}="
    known.on_match.action.name = "skip"
    known.on_match.action.typed_config.CopyFrom(packed(skip_action_pb2.SkipFilter()))
    return _HTTP_FILTER(name="envoy.filters.http.match_delegate", typed_config=packed(delegate))


def _counts() -> list[accesslog_pb2.AccessLog]:
    """Time per route, side that really answered, status and tries; and who didn't wait. ``proxy.stats`` reads both.

    One histogram, which counts too, with one tag for all four: each further statistic or tag costs every request.
    """
    of = stats_pb2.Config.Tag(
        name=TAG,
        value_format=SEPARATOR.join(
            (
                "%ROUTE_NAME%",
                f"%UPSTREAM_METADATA({names.METADATA}:{names.SIDE_KEY})%",
                "%RESPONSE_CODE%",
                "%UPSTREAM_REQUEST_ATTEMPT_COUNT%",
            )
        ),
    )
    times, abandoned = _stats_config(), _stats_config()
    histogram = times.histograms.add(
        unit=stats_pb2.Config.Histogram.Microseconds, value_format="%COMMON_DURATION(DS_RX_BEG:DS_TX_END:us)%"
    )
    histogram.stat.name = TIME.removeprefix(f"{STATS_PREFIX}.")
    histogram.stat.tags.append(of)
    counter = abandoned.counters.add()
    counter.stat.name = ABANDONED.removeprefix(f"{STATS_PREFIX}.")
    counter.stat.tags.append(of)
    counter.value_fixed.value = 1
    logs = [
        accesslog_pb2.AccessLog(name="envoy.access_loggers.stats", typed_config=packed(config))
        for config in (times, abandoned)
    ]
    logs[1].filter.response_flag_filter.flags.append("DC")
    return logs


def _stats_config() -> stats_pb2.Config:
    """With `stats_scope { prefix }`, which takes the place of the deprecated `stat_prefix` in Envoy 1.40, and which the
    Python messages don't have yet."""
    return stats_pb2.Config.FromString(wire.field(_STATS_SCOPE, wire.field(_SCOPE_PREFIX, STATS_PREFIX.encode())))


def _tokens(key: bytes) -> hcm_pb2.HttpFilter:
    """Signed tokens: a good one sets the lane and has the route chosen again, a bad or missing one changes nothing."""
    config = jwt_pb2.JwtAuthentication()
    provider = config.providers["strangler"]
    provider.issuer = cohort.ISSUER
    provider.local_jwks.inline_string = cohort.jwks(key)
    provider.from_headers.add(name=cohort.HEADER)
    provider.from_cookies.append(cohort.COOKIE)
    provider.claim_to_headers.add(header_name=names.LANE_HEADER, claim_name=cohort.LANE_CLAIM)
    provider.clear_route_cache = True
    for header in (cohort.HEADER, "cookie"):
        rule = config.rules.add()
        rule.match.prefix = "/"
        match = rule.match.headers.add(name=header)
        if header == "cookie":
            match.string_match.contains = f"{cohort.COOKIE}="
        else:
            match.present_match = True
        either = rule.requires.requires_any.requirements
        either.add(provider_name="strangler")
        either.add(allow_missing_or_failed=Empty())
    return _HTTP_FILTER(name="envoy.filters.http.jwt_authn", typed_config=packed(config))
