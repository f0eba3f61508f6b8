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
from envoy.extensions.filters.http.jwt_authn.v3 import config_pb2 as jwt_pb2
from envoy.extensions.filters.http.router.v3 import router_pb2
from envoy.extensions.filters.network.http_connection_manager.v3 import http_connection_manager_pb2 as hcm_pb2
from envoy.extensions.http.early_header_mutation.header_mutation.v3 import header_mutation_pb2
from google.protobuf.empty_pb2 import Empty

from proxy import cohort
from proxy.envoy import names
from proxy.envoy.clusters import packed, socket_address
from proxy.settings import ProxySettings

STAT_PREFIX = "strangler"
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
    manager.access_log.append(_counts())
    if settings.key is not None:
        manager.http_filters.append(_tokens(settings.key))
    router = router_pb2.Router(suppress_envoy_headers=True)
    router.dynamic_stats.value = False
    manager.http_filters.append(_HTTP_FILTER(name="envoy.filters.http.router", typed_config=packed(router)))
    return listener_components_pb2.Filter(
        name="envoy.filters.network.http_connection_manager", typed_config=packed(manager)
    )


def _request_id() -> object:
    """Plain random UUIDs: a trace decision packed into them would change the id after the user was put in a bucket."""
    from envoy.extensions.request_id.uuid.v3 import uuid_pb2

    config = uuid_pb2.UuidRequestIdConfig()
    config.pack_trace_reason.value = False
    return packed(config)


def _lane(*, trusted: bool) -> header_mutation_pb2.HeaderMutation:
    value = f"%REQ({names.OVERRIDE_HEADER}?{names.COHORT_HEADER})%" if trusted else names.EVERYBODY
    result = header_mutation_pb2.HeaderMutation()
    mutation = result.mutations.add()
    mutation.remove = names.LANE_HEADER
    mutation = result.mutations.add()
    mutation.remove = names.FALLBACK_HEADER
    mutation = result.mutations.add()
    mutation.append.header.key = names.LANE_HEADER
    mutation.append.header.value = value
    mutation.append.append_action = base_pb2.HeaderValueOption.OVERWRITE_IF_EXISTS_OR_ADD
    return result


def _counts() -> accesslog_pb2.AccessLog:
    """Requests and milliseconds per route and the side that really answered (``proxy.stats`` reads them)."""
    tags = [
        stats_pb2.Config.Tag(name="route", value_format="%ROUTE_NAME%"),
        stats_pb2.Config.Tag(name="side", value_format=f"%UPSTREAM_METADATA({names.METADATA}:{names.SIDE_KEY})%"),
    ]
    config = stats_pb2.Config(stat_prefix=STAT_PREFIX)
    counter = config.counters.add()
    counter.stat.name = "requests"
    counter.stat.tags.extend(
        [
            *tags,
            stats_pb2.Config.Tag(name="code", value_format="%RESPONSE_CODE%"),
            stats_pb2.Config.Tag(name="tries", value_format="%UPSTREAM_REQUEST_ATTEMPT_COUNT%"),
        ]
    )
    counter.value_fixed.value = 1
    histogram = config.histograms.add()
    histogram.stat.name = "time"
    histogram.stat.tags.extend(tags)
    histogram.unit = stats_pb2.Config.Histogram.Milliseconds
    histogram.value_format = "%DURATION%"
    return accesslog_pb2.AccessLog(name="envoy.access_loggers.stats", typed_config=packed(config))


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
