"""A virtual host's look-up of lists of routes by the path's number of segments and its beginning, as serialised fields.

One pattern a depth, instead of one a route: that a parameter is a single segment needs no pattern of its own then. To
compile patterns is what Envoy's time to apply a version would mostly go to.

Beginnings may hold a query, because Envoy's ``:path`` does: harmless, a path is at the front of it.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from envoy.config.route.v3 import route_components_pb2
from envoy.type.matcher.v3 import http_inputs_pb2
from google.protobuf.descriptor import Descriptor
from xds.core.v3 import extension_pb2
from xds.type.matcher.v3 import matcher_pb2

from proxy.envoy import names, wire
from proxy.envoy.clusters import packed


def _number(message: Descriptor, field: str) -> int:
    return int(message.fields_by_name[field].number)


_HOST = route_components_pb2.VirtualHost.DESCRIPTOR
_LIST = route_components_pb2.RouteList.DESCRIPTOR
_MATCHER = matcher_pb2.Matcher.DESCRIPTOR
_FIELD = matcher_pb2.Matcher.MatcherList.FieldMatcher.DESCRIPTOR
_TREE = matcher_pb2.Matcher.MatcherTree.DESCRIPTOR
_MAP = matcher_pb2.Matcher.MatcherTree.MatchMap.DESCRIPTOR
_ON_MATCH = matcher_pb2.Matcher.OnMatch.DESCRIPTOR

ROUTES = _number(_LIST, "routes")
_HOST_MATCHER = _number(_HOST, "matcher")
_MATCHER_TREE = _number(_MATCHER, "matcher_tree")
_MATCHER_LIST = _number(_MATCHER, "matcher_list")
_NO_MATCH = _number(_MATCHER, "on_no_match")
_MATCHERS = _number(matcher_pb2.Matcher.MatcherList.DESCRIPTOR, "matchers")
_PREDICATE = _number(_FIELD, "predicate")
_ON_MATCH_OF = _number(_FIELD, "on_match")
_INPUT = _number(_TREE, "input")
_PREFIXES = _number(_TREE, "prefix_match_map")
_ENTRIES = _number(_MAP, "map")
_ACTION = _number(_ON_MATCH, "action")
_FURTHER = _number(_ON_MATCH, "matcher")
_KEY, _VALUE = 1, 2  # of a map's entry, by protobuf's definition of maps
_NAME, _CONFIG = 1, 2  # xds.core.v3.TypedExtensionConfig
_TYPE_URL, _CONTENT = 1, 2  # google.protobuf.Any

_PATH = extension_pb2.TypedExtensionConfig(
    name="path", typed_config=packed(http_inputs_pb2.HttpRequestHeaderMatchInput(header_name=":path"))
).SerializeToString(deterministic=True)
_ROUTE_LIST = (names.TYPE + _LIST.full_name).encode()


def branch(beginning: str, entries: bytes) -> bytes:
    """A list for the paths that begin so. Lists are fields ``ROUTES``."""
    return wire.field(_ENTRIES, wire.field(_KEY, beginning.encode()) + wire.field(_VALUE, _action(entries)))


def depth(number: int, branches: Iterable[bytes], rest: bytes) -> bytes:
    """The look-up for paths of so many segments; ``rest`` is the list for those with none of the beginnings."""
    prefixes = b"".join(branches)
    if not prefixes:  # a tree without a branch would be refused
        return wire.field(_MATCHERS, wire.field(_PREDICATE, _deep(number)) + wire.field(_ON_MATCH_OF, _action(rest)))
    tree = wire.field(_INPUT, _PATH) + wire.field(_PREFIXES, prefixes)
    found = wire.field(_MATCHER_TREE, tree) + wire.field(_NO_MATCH, _action(rest))
    return wire.field(
        _MATCHERS, wire.field(_PREDICATE, _deep(number)) + wire.field(_ON_MATCH_OF, wire.field(_FURTHER, found))
    )


def matcher(depths: Iterable[bytes], rest: bytes) -> bytes:
    """A virtual host's field that finds the list for a path; ``rest`` is the list for paths of another depth."""
    by_depth = b"".join(depths)
    found = wire.field(_MATCHER_LIST, by_depth) if by_depth else b""
    return wire.field(_HOST_MATCHER, found + wire.field(_NO_MATCH, _action(rest)))


@lru_cache(maxsize=64)
def _deep(number: int) -> bytes:
    """Whether a path has so many segments, none of them empty. Whatever the query holds doesn't matter."""
    predicate = matcher_pb2.Matcher.MatcherList.Predicate()
    predicate.single_predicate.input.CopyFrom(extension_pb2.TypedExtensionConfig.FromString(_PATH))
    regex = predicate.single_predicate.value_match.safe_regex
    regex.google_re2.SetInParent()
    regex.regex = (f"(?:/[^/?]+){{{number}}}" if number else "/") + r"(?:\?\C*)?"
    return bytes(predicate.SerializeToString(deterministic=True))


def _action(entries: bytes) -> bytes:
    config = wire.field(_TYPE_URL, _ROUTE_LIST) + wire.field(_CONTENT, entries)
    return wire.field(_ACTION, wire.field(_NAME, b"routes") + wire.field(_CONFIG, config))
