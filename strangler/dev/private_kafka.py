"""A private Kafka and Connect without a supervisor, for tests and benchmarks: start, stop, kill each of the two."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path
from types import TracebackType

from cdc.source.kafka_settings import KafkaHosting
from strangler.config.ports import KafkaPorts
from strangler.config.streams import USER
from strangler.dev.jars import debezium_plugin, kafka_jars
from strangler.dev.kafka import PrivateKafka
from strangler.dev.ports import free_port
from strangler.dev.process import HttpReady, KafkaReady, Ready
from strangler.dev.readiness import problem
from strangler.dev.server import ServerError, last_lines, write_private

START_SECONDS = 120.0
STOP_SECONDS = 60.0


class RunningKafka:
    """``with RunningKafka(folder) as kafka``: both run, on free ports. Downloads what is missing."""

    def __init__(self, folder: Path) -> None:
        ports: set[int] = set()
        while len(ports) < 3:
            ports.add(free_port(ports))
        broker, controller, connect = sorted(ports)
        self.settings = PrivateKafka(
            folder,
            kafka_jars(),
            debezium_plugin(),
            KafkaPorts(broker=broker, controller=controller, connect=connect, password="only-for-tests"),
        )
        self.extra_broker_settings: dict[str, str] = {}
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    @property
    def hosting(self) -> KafkaHosting:
        return self.settings.hosting

    def prepare(self) -> None:
        """Write the files and make the storage. ``extra_broker_settings`` are added; values in both, with commas."""
        self.settings.folder.mkdir(parents=True, exist_ok=True)
        for path, text in self.settings.files.items():
            write_private(path, text)
        write_private(self.settings.broker_file, self.settings.broker_text(self.extra_broker_settings))
        done = subprocess.run(self.settings.format_command, capture_output=True, text=True, timeout=START_SECONDS)
        if done.returncode:
            raise ServerError(f"Kafka's storage can't be made: {done.stdout}{done.stderr}")

    def __enter__(self) -> RunningKafka:
        self.prepare()
        try:
            self.start_broker()
            self.start_connect()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start_broker(self) -> None:
        ready = KafkaReady(self.hosting.bootstrap, self.hosting.security)
        self._start("broker", self.settings.broker_command, ready)

    def start_connect(self) -> None:
        ready = HttpReady((f"{self.settings.connect_url}/connectors",), (USER, self.settings.ports.password))
        self._start("connect", self.settings.connect_command, ready)

    def kill(self, name: str) -> None:
        """``broker`` or ``connect``, with SIGKILL."""
        process = self._processes.pop(name)
        process.kill()
        process.wait(STOP_SECONDS)

    def end(self, name: str) -> None:
        """``broker`` or ``connect``, with SIGTERM; SIGKILL follows."""
        process = self._processes.pop(name, None)
        if process is None:
            return
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(STOP_SECONDS)

    def stop(self) -> None:
        self.end("connect")
        self.end("broker")

    def pid(self, name: str) -> int:
        return self._processes[name].pid

    def _start(self, name: str, command: tuple[str, ...], ready: Ready) -> None:
        log = self.settings.folder / f"{name}.log"
        with log.open("ab") as output:
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        self._processes[name] = process
        end = time.monotonic() + START_SECONDS
        while (said := problem(ready)) is not None:
            if process.poll() is not None:
                raise ServerError(f"{name} ended by itself:\n{last_lines(log)}")
            if time.monotonic() > end:
                raise ServerError(f"{name} is not ready after {START_SECONDS:.0f} s ({said}):\n{last_lines(log)}")
            time.sleep(0.1)
