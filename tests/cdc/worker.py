"""A stream worker as a process, for tests that kill it: the stream's parts as JSON in the one argument."""

from __future__ import annotations

import json
import signal
import sys
import threading
from pathlib import Path
from typing import Any

from cdc.copy.settings import CopySettings
from cdc.database import Database
from cdc.mapping import CapabilityMapping, TableMapping, Writes
from cdc.source.kafka_settings import KafkaHosting, KafkaSecurity
from cdc.state import Direction
from cdc.stream import EngineFiles, StreamSpec, run


def main() -> None:
    raw = json.loads(sys.argv[1])
    mapping = CapabilityMapping(
        raw["mapping"]["capability"],
        tuple(
            TableMapping(**{**table, "owns": tuple(table["owns"]), "writes": Writes(table["writes"])})
            for table in raw["mapping"]["tables"]
        ),
    )
    hosting = _kafka(raw["engine"]) if raw["hosting"] == "KafkaHosting" else _embedded(raw["engine"])
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    copy = CopySettings(**raw["copy"])
    source, target = Database(**raw["source"]), Database(**raw["target"])
    run(StreamSpec(mapping, source, target, hosting, Direction(raw["direction"]), copy), stop)


def _embedded(raw: dict[str, Any]) -> EngineFiles:
    return EngineFiles(tuple(Path(jar) for jar in raw["jars"]), Path(raw["java_home"]), Path(raw["folder"]))


def _kafka(raw: dict[str, Any]) -> KafkaHosting:
    security = KafkaSecurity(**raw.pop("security"))
    return KafkaHosting(**{**raw, "security": security, "secrets": Path(raw["secrets"])})


if __name__ == "__main__":
    main()
