"""What the shape alone can't say: references, addresses, routes, placeholders, gates. Pure."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from cdc.database import Database
from cdc.policy import Reaction
from proxy.routes import RouteTable, Upstream, check
from strangler.config.kafka_check import wrong_kafka
from strangler.config.model import METHODS, Capability, Config, Legacy
from strangler.config.owners_check import wrong_owners
from strangler.config.placeholders import PlaceholderError, names
from strangler.config.positions import Key
from strangler.config.problem import nearest
from strangler.config.resolve import uses_port
from strangler.phases import GATED

_TEMPLATE = re.compile(r"(/([A-Za-z0-9_.~!$&'()*+,;=:@%-]+|\{[A-Za-z_][A-Za-z0-9_]*\}))*/?")
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True)
class Finding:
    key: Key
    message: str
    fix: str = ""


def problems(config: Config) -> Iterator[Finding]:
    """Everything wrong with a configuration whose shape is right, in no particular order."""
    yield from _listen(("control", "listen"), config.control.listen, loopback=True)
    yield from _listen(("proxy", "listen"), config.proxy.listen, loopback=False)
    yield from _state(config)
    yield from _proxy(config)
    yield from _databases(config)
    yield from _redis(config)
    yield from _kafka(config)
    yield from _processes(config)
    yield from _side(config, ("legacy",), config.legacy)
    yield from _known(("legacy", "database"), "database", config.legacy.database, config.databases)
    for name, capability in config.capabilities.items():
        yield from _capability(config, name, capability)
    yield from (Finding(*wrong) for wrong in wrong_owners(config))
    yield from _routes(config)
    for scenario, load in config.load.items():
        for index, argument in enumerate(load.arguments):
            yield from _placeholders(config, ("load", scenario, "arguments", index), argument)
        for index, name in enumerate(load.capabilities):
            key: Key = ("load", scenario, "capabilities", index)
            yield from _known(key, "capability", name, config.capabilities)


def _known(key: Key, what: str, name: str, known: object) -> Iterator[Finding]:
    options = [str(k) for k in known] if hasattr(known, "__iter__") else []
    if name not in options:
        yield Finding(key, f"no {what} {name!r} in this file", nearest(name, options))


def _listen(key: Key, value: str, *, loopback: bool) -> Iterator[Finding]:
    host, _, port = value.rpartition(":")
    if not host or not port.isdigit() or int(port) > 65535:
        yield Finding(key, f'"{value}" is not host:port', 'write for example "127.0.0.1:0"; port 0 takes a free one')
    elif loopback and host.strip("[]") not in _LOOPBACK:
        yield Finding(key, f"the control plane listens on loopback only, not on {host}", 'write "127.0.0.1:0"')


def _state(config: Config) -> Iterator[Finding]:
    state = config.control.state
    if state != "sqlite":
        yield from _placeholders(config, ("control", "state"), state)
        yield from _mysql(("control", "state"), state, 'write "sqlite" or "mysql://user:password@host:port/schema"')


def _mysql(key: Key, url: str, fix: str) -> Iterator[Finding]:
    try:
        Database.from_url(re.sub(r"\{[^}]*\}", "x", url))
    except ValueError as error:
        yield Finding(key, str(error), fix)


def _proxy(config: Config) -> Iterator[Finding]:
    identity = config.proxy.identity
    if (identity.cookie is None) == (identity.header is None):
        yield Finding(("proxy", "identity"), "a user is known by a cookie or by a header, exactly one of them")
    elif identity.header is not None and identity.issue:
        yield Finding(("proxy", "identity", "issue"), "only a cookie can be issued, not a header", "leave issue out")
    for index, network in enumerate(config.proxy.networks):
        try:
            ipaddress.ip_network(network)
        except ValueError as error:
            yield Finding(("proxy", "networks", index), str(error), 'write a CIDR such as "10.0.0.0/8"')


def _databases(config: Config) -> Iterator[Finding]:
    for name, database in config.databases.items():
        key: Key = ("databases", name)
        if (database.server is None) == (database.url is None):
            yield Finding(key, 'say server = "private" or url = "mysql://...", exactly one of them')
        elif database.url is not None:
            yield from _placeholders(config, (*key, "url"), database.url)
            yield from _mysql((*key, "url"), database.url, 'write "mysql://user:password@host:port/schema"')
        elif database.schema_ is None:
            yield Finding(key, "a private server needs the name of a schema", f'schema = "{name}"')


def _redis(config: Config) -> Iterator[Finding]:
    redis = config.redis
    if redis is None:
        return
    if (redis.server is None) == (redis.url is None):
        yield Finding(("redis",), 'say server = "private" or url = "redis://...", exactly one of them')
    elif redis.url is not None:
        yield from _placeholders(config, ("redis", "url"), redis.url)
        if not redis.url.startswith(("redis://", "rediss://", "unix://", "{")):
            yield Finding(("redis", "url"), f'"{redis.url}" is not a Redis url', 'write "redis://host:port/0"')


def _kafka(config: Config) -> Iterator[Finding]:
    section = config.streams.kafka
    for key, message, fix in wrong_kafka(section, config.root):
        yield Finding(key, message, fix)
    for name, text in (*section, *section.security):
        if isinstance(text, str):
            below = ("security",) if name in type(section.security).model_fields else ()
            yield from _placeholders(config, ("streams", "kafka", *below, name), text)


def _processes(config: Config) -> Iterator[Finding]:
    for name, process in config.processes.items():
        key: Key = ("processes", name)
        yield from _placeholders(config, (*key, "command"), process.command, process=name)
        for index, command in enumerate(process.before):
            yield from _placeholders(config, (*key, "before", index), command, process=name)
        for variable, value in process.env.items():
            yield from _placeholders(config, (*key, "env", variable), value, process=name)
        if process.ready and not uses_port(process):
            yield Finding(
                (*key, "ready"), "a readiness path needs a port", "say {port} in command or env, or fix a port"
            )
        for index, need in enumerate(process.needs):
            yield from _need(config, (*key, "needs", index), need)
    yield from _circles(config)


def _things(config: Config) -> list[str]:
    return [
        *(f"databases.{d}" for d in config.databases),
        *(f"processes.{p}" for p in config.processes),
        *(["redis"] if config.redis else []),
    ]


def _need(config: Config, key: Key, need: str) -> Iterator[Finding]:
    if need not in (things := _things(config)):
        yield Finding(key, f"nothing called {need!r} in this file", nearest(need, things))


def _circles(config: Config) -> Iterator[Finding]:
    """Processes that wait for each other would never start."""
    needs = {f"processes.{n}": [x for x in p.needs if x.startswith("processes.")] for n, p in config.processes.items()}
    done: set[str] = set()
    for name in config.processes:
        if circle := _circle(f"processes.{name}", needs, (), done):
            shown = " -> ".join(part.removeprefix("processes.") for part in circle)
            yield Finding(("processes", name, "needs"), f"these wait for each other: {shown}")
            return


def _circle(at: str, needs: dict[str, list[str]], path: tuple[str, ...], done: set[str]) -> tuple[str, ...]:
    if at in path:
        return (*path[path.index(at) :], at)
    if at in done:
        return ()
    for after in needs.get(at, ()):
        if found := _circle(after, needs, (*path, at), done):
            return found
    done.add(at)
    return ()


def _placeholders(config: Config, key: Key, text: str, *, process: str = "") -> Iterator[Finding]:
    known = [
        "root",
        "state",
        *(["port"] if process else []),
        *(["redis.url"] if config.redis else []),
        *(f"databases.{d}.url" for d in config.databases),
        *(f"processes.{p}.url" for p, section in config.processes.items() if uses_port(section)),
    ]
    try:
        for name in names(text):
            if name not in known and not re.fullmatch(r"env\.\w+", name):
                yield Finding(key, f"{{{name}}} stands for nothing", nearest(name, known))
    except PlaceholderError as error:
        yield Finding(key, str(error))


def _side(config: Config, key: Key, side: Legacy | Capability) -> Iterator[Finding]:
    if (side.process is None) == (side.url is None):
        yield Finding(key, 'say process = "..." or url = "http://host:port", exactly one of them')
    elif side.process is not None:
        yield from _known((*key, "process"), "process", side.process, config.processes)
        section = config.processes.get(side.process)
        if section is not None and not uses_port(section):
            yield Finding((*key, "process"), f"process {side.process!r} has no port, so nothing can be sent to it")
    elif side.url is not None:
        yield from _placeholders(config, (*key, "url"), side.url)
        parts = urlsplit(re.sub(r"\{[^}]*\}", "http://x", side.url) if side.url.startswith("{") else side.url)
        if parts.scheme != "http" or not parts.hostname or parts.path not in ("", "/"):
            yield Finding((*key, "url"), f'"{side.url}" is not http://host:port', "a path or https can't be given here")


def _capability(config: Config, name: str, capability: Capability) -> Iterator[Finding]:
    key: Key = ("capability", name)
    yield from _side(config, key, capability)
    if capability.database is not None:
        yield from _known((*key, "database"), "database", capability.database, config.databases)
        if capability.database == config.legacy.database:
            yield Finding((*key, "database"), "the new side needs a database of its own, this one is legacy's")
    elif capability.tables:
        yield Finding(key, "a capability with tables needs a database", 'database = "..."')
    if capability.schema_changes.swap is Reaction.IGNORE:
        yield Finding(
            (*key, "schema_changes", "swap"),
            "a swap can't be ignored: rows of the table that was swapped in would be lost",
            'write "follow" or "stop"',
        )
    for phase in capability.gates:
        if phase not in GATED:
            yield Finding((*key, "gates", phase), f"no gate {phase!r}", nearest(phase, GATED))
    for table, section in capability.tables.items():
        both = sorted(set(section.key) & set(section.columns))
        for column in both:
            yield Finding(
                (*key, "tables", table, "columns", column), f"{column!r} is in key and in columns", "keep one"
            )


def _routes(config: Config) -> Iterator[Finding]:
    seen: dict[str, str] = {}
    bad = False
    keys: dict[str, Key] = {}
    for name, capability in config.capabilities.items():
        for index, section in enumerate(capability.routes):
            key: Key = ("capability", name, "routes", index)
            if found := _route(section.route):
                bad = True
                yield Finding(key, *found)
                continue
            route = section.build(name).name
            if route in seen:
                bad = True
                yield Finding(
                    key, f"route {route!r} is already claimed by {seen[route]}", "a route belongs to one capability"
                )
            seen[route] = name
            keys[route] = key
    if not bad:
        yield from _table(config, keys)


def _route(text: str) -> tuple[str, str] | None:
    """What is wrong with one route, and the fix."""
    method, _, path = text.partition(" ")
    if not path or " " in path:
        return f'"{text}" is not a route', 'write "METHOD /path", as in "GET /api/items/{id}"'
    if method not in METHODS:
        return f"no method {method!r}", nearest(method.upper(), METHODS)
    if not path.startswith("/") or not _TEMPLATE.fullmatch(path):
        return f'"{path}" is not a path template', "a braced name stands for one whole segment: /api/items/{id}"
    return None


def _table(config: Config, keys: dict[str, Key]) -> Iterator[Finding]:
    """What the proxy says of the table as a whole (overlaps, gaps); addresses don't matter for it."""
    here = (("127.0.0.1", 1),)
    table = RouteTable(
        Upstream("legacy", here), {name: Upstream(name, here) for name in config.capabilities}, config.routes
    )
    for problem in check(table):
        named = [route for route in keys if route in problem]
        yield Finding(
            keys[max(named, key=lambda r: (problem.rindex(r), len(r)))] if named else ("capability",), problem
        )
