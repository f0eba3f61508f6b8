"""The environment of one strangler.toml: bring it up in order, look at it, take it down to nothing."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from graphlib import TopologicalSorter
from pathlib import Path

from filelock import FileLock, Timeout

from proxy.envoy.bootstrap import write as write_bootstrap
from strangler.dev import launch, manifest
from strangler.dev.deaths import Deaths, deaths
from strangler.dev.layout import Layout
from strangler.dev.process import (
    DatabaseReady,
    InitialiseServer,
    MakeFolder,
    Process,
    RunFirst,
    StaysUp,
    WriteBootstrap,
    WriteFirst,
)
from strangler.dev.readiness import describe, problem
from strangler.dev.remains import end, noted, remaining
from strangler.dev.server import create_schema, last_lines, prepare, write_private
from strangler.dev.supervisor import Seen, Supervisor

BEFORE_SECONDS = 600.0
AT_ONCE = 8
DEAD = ("backoff", "exited", "fatal")


class ProcessFailed(Exception):
    """Something of the environment failed; the text says what, with its last lines."""


class Busy(Exception):
    """Another ``up`` or ``down`` of the same environment is at work."""


@dataclass(frozen=True)
class Row:
    """One line of ``ps``. ``state``: running, starting, stopped, failed, external, or orphaned (no supervisor left)."""

    name: str
    state: str
    pid: int | None
    port: int | None
    log: str
    seconds: int | None = None
    """Since the last start."""
    restarts: int = 0
    last_exit: str | None = None
    last_lines: tuple[str, ...] = ()
    """Only where the process is not running though it should be."""


@dataclass(frozen=True)
class News:
    """What ``up`` and ``down`` tell while at work. ``what``: starting, ready, kept, stopped, note."""

    what: str
    name: str
    detail: str = ""
    seconds: float = 0.0


Tell = Callable[[News], None]


class Environment:
    """Talks to the supervisor and the machine; what is in the environment comes as processes from ``plan``."""

    def __init__(self, layout: Layout, folder: Path) -> None:
        """``folder`` is what the processes are started in: where strangler.toml is."""
        self._layout = layout
        self._folder = folder
        self._supervisor = Supervisor(layout)
        self._abandoned = threading.Event()

    def up(self, processes: Sequence[Process], tell: Tell) -> None:
        """Bring up what isn't, each once what it needs is ready; returns when all are. What runs unchanged is kept.

        If one fails, what this call started is stopped again. Raises ProcessFailed (with the last lines),
        ServerError, SupervisorError, Busy.
        """
        self._abandoned.clear()
        self._layout.create()
        with self._alone():
            if self._supervisor.pid is None and (orphans := remaining(self._layout)):
                tell(News("note", "", f"ending {len(orphans)} processes that an earlier run left without supervisor"))
                end(orphans)
            self._write_launch_files(processes)
            gone = {entry.name for entry in manifest.load(self._layout)} - {process.name for process in processes}
            if self._supervisor.pid is not None:
                for name in gone:
                    self._supervisor.stop_process(name)
                    tell(News("stopped", name, "no longer in the configuration"))
            manifest.save(processes, self._layout)
            fresh = self._supervisor.start([process for process in processes if process.argv])
            started: list[str] = []
            try:
                self._bring_up_all(processes, started, tell)
            except BaseException:
                running = {name for name, seen in self._supervisor.seen().items() if seen.pid and name in started}
                for group in manifest.stop_order(manifest.entries(processes)):
                    self._stop_group([name for name in group if name in running], tell)
                if fresh:
                    self._end_supervisor()
                raise

    def down(self, tell: Tell) -> int:
        """Stop everything, those that others need last. Returns how many were stopped; nothing is left running.

        Raises Busy, SupervisorError.
        """
        if not self._layout.run.exists():
            return 0
        with self._alone():
            before = len(remaining(self._layout))
            if self._supervisor.pid is not None:
                running = {name for name, seen in self._supervisor.seen().items() if seen.pid}
                for group in manifest.stop_order(manifest.load(self._layout)):
                    self._stop_group([name for name in group if name in running], tell)
                self._end_supervisor()
            if left := remaining(self._layout):
                tell(News("note", "", f"ending {len(left)} processes that no supervisor looks after"))
                end(left)
            if left := remaining(self._layout):
                pids = ", ".join(str(process.pid) for process in left)
                raise ProcessFailed(f"still there after SIGKILL: {pids}. Is this user allowed to end them?")
            self._layout.supervisor_socket.unlink(missing_ok=True)
            return before

    def ps(self) -> list[Row]:
        """Every process of the last ``up`` and how it is now."""
        known = manifest.load(self._layout)
        supervised = self._supervisor.pid is not None
        seen = self._supervisor.seen() if supervised else {}
        log = self._layout.log("supervisor")
        died = deaths(log.read_text(errors="replace")) if supervised and log.exists() else {}
        return [self._row(entry, seen.get(entry.name), died.get(entry.name)) for entry in known]

    # --- up

    def _bring_up_all(self, processes: Sequence[Process], started: list[str], tell: Tell) -> None:
        by_name = {process.name: process for process in processes}
        sorter: TopologicalSorter[str] = TopologicalSorter({p.name: p.needs for p in processes})
        sorter.prepare()
        jobs: dict[Future[None], str] = {}
        with ThreadPoolExecutor(AT_ONCE) as pool:
            try:
                while sorter.is_active():
                    for name in sorter.get_ready():
                        jobs[pool.submit(self._bring_up, by_name[name], started, tell)] = name
                    done, _ = wait(jobs, return_when=FIRST_COMPLETED)
                    for job in done:
                        job.result()
                        sorter.done(jobs.pop(job))
            except BaseException:
                # The pool waits for the others at its end: they are told not to go on.
                self._abandoned.set()
                raise

    def _bring_up(self, process: Process, started: list[str], tell: Tell) -> None:
        begin = time.monotonic()
        if not process.argv:
            if reason := problem(process.ready):
                raise ProcessFailed(f"{process.name} is not there ({describe(process.ready)}): {reason}")
            tell(News("ready", process.name, f"{describe(process.ready)}, not ours"))
            return
        kept = self._keep(process)
        if not kept:
            tell(News("starting", process.name))
            self._set_up(process)
            if self._abandoned.is_set():
                return
            started.append(process.name)
            self._supervisor.start_process(process.name)
        self._wait_until_ready(process)
        if isinstance(process.ready, DatabaseReady):
            create_schema(process.ready.database)
        where = f"127.0.0.1:{process.port}" if process.port else ""
        tell(News("kept" if kept else "ready", process.name, where, time.monotonic() - begin))

    def _keep(self, process: Process) -> bool:
        """Whether it runs just as it would be started now. One that runs otherwise is stopped."""
        note = noted(self._layout, process.name)
        if note is None or self._supervisor.seen()[process.name].pid != note[0]:
            return False
        if note[1] == self._spec(process):
            return True
        self._supervisor.stop_process(process.name)
        return False

    def _set_up(self, process: Process) -> None:
        for step in process.setup:
            match step:
                case InitialiseServer(program, instance):
                    prepare(program, instance)
                case WriteFirst(path, text):
                    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                    write_private(path, text)
                case MakeFolder(path):
                    path.mkdir(mode=0o700, parents=True, exist_ok=True)
                case WriteBootstrap(path):
                    write_bootstrap(
                        path,
                        node_id=step.node_id,
                        listen=step.listen,
                        admin=step.admin,
                        xds=step.xds,
                        standby=step.standby,
                    )
                case RunFirst(argv):
                    self._run_first(process, argv)

    def _run_first(self, process: Process, argv: tuple[str, ...]) -> None:
        path = self._layout.log(process.name)
        with path.open("ab") as log:
            log.write(f"$ {' '.join(argv)}\n".encode())
            log.flush()
            try:
                done = subprocess.run(
                    argv,
                    cwd=self._folder,
                    env=os.environ | process.env | {launch.MARK: str(self._layout.root)},
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    timeout=BEFORE_SECONDS,
                )
            except FileNotFoundError as error:
                raise ProcessFailed(f"{process.name}: {argv[0]} (before) is no program on the PATH") from error
            except subprocess.TimeoutExpired as error:
                raise ProcessFailed(
                    f"{process.name}: {' '.join(argv)} (before) took more than {BEFORE_SECONDS:.0f} s, see {path}"
                ) from error
        if done.returncode:
            raise ProcessFailed(
                f"{process.name}: {' '.join(argv)} (before) ended with {done.returncode}:\n{last_lines(path)}"
            )

    def _wait_until_ready(self, process: Process) -> None:
        deadline = time.monotonic() + process.ready_seconds
        log = self._layout.log(process.name)
        while not self._abandoned.is_set():
            seen = self._supervisor.seen()[process.name]
            if seen.state in DEAD:
                self._supervisor.stop_process(process.name)
                how = deaths(self._layout.log("supervisor").read_text(errors="replace")).get(process.name)
                raise ProcessFailed(
                    f"{process.name} ended while it started ({how.how if how else seen.error or seen.state}):\n"
                    f"{last_lines(log)}"
                )
            reason = "still starting" if seen.state != "running" else None
            if not isinstance(process.ready, StaysUp):
                reason = problem(process.ready)
            if reason is None:
                self._layout.ready(process.name).write_text(str(seen.pid))
                return
            if time.monotonic() > deadline:
                asked = f"{describe(process.ready)}: {reason}"
                raise ProcessFailed(
                    f"{process.name} was not ready after {process.ready_seconds:.0f} s ({asked}):\n{last_lines(log)}"
                )
            self._abandoned.wait(0.05)

    def _write_launch_files(self, processes: Sequence[Process]) -> None:
        for process in processes:
            if process.argv:
                content = {
                    "argv": process.argv,
                    "env": process.env | {launch.MARK: str(self._layout.root)},
                    "folder": str(self._folder),
                    "started": str(self._layout.started(process.name)),
                    "spec": self._spec(process),
                }
                write_private(self._layout.launch(process.name), json.dumps(content, indent=1))

    def _spec(self, process: Process) -> str:
        # All of them values, so that their text tells whether anything of them has changed.
        return hashlib.sha256(repr((process.argv, process.env, process.setup)).encode()).hexdigest()

    # --- down and ps

    def _stop_group(self, names: Sequence[str], tell: Tell) -> None:
        with ThreadPoolExecutor(AT_ONCE) as pool:
            list(pool.map(self._supervisor.stop_process, names))
        for name in names:
            tell(News("stopped", name))

    def _end_supervisor(self) -> None:
        pid = self._supervisor.pid
        if pid is None:
            return
        self._supervisor.shut_down()
        # Not by its socket: that goes before the process does.
        end([process for process in remaining(self._layout) if process.pid == pid])

    def _row(self, entry: manifest.Entry, seen: Seen | None, died: Deaths | None) -> Row:
        log = self._layout.log(entry.name)
        if entry.external:
            return Row(entry.name, "external", None, entry.port, "")
        if seen is None:
            note = noted(self._layout, entry.name)
            return Row(entry.name, "orphaned" if note else "stopped", note[0] if note else None, entry.port, str(log))
        state = {"backoff": "failed", "fatal": "failed", "exited": "failed"}.get(seen.state, seen.state)
        if seen.state == "exited" and seen.exit_status == 0:
            state = "ended"
        if seen.state == "starting" and self._was_ready(entry.name, seen.pid):
            state = "running"
        return Row(
            entry.name,
            state,
            seen.pid or None,
            entry.port,
            str(log),
            int(time.time()) - seen.started if seen.pid else None,
            died.count if died else 0,
            f"{died.how} at {died.at}" if died else None,
            tuple(line.strip() for line in last_lines(log, 8).splitlines()) if state == "failed" else (),
        )

    def _was_ready(self, name: str, pid: int) -> bool:
        """The supervisor calls everything starting for its first second; ``up`` may know better."""
        note = self._layout.ready(name)
        return note.exists() and note.read_text() == str(pid)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        lock = FileLock(self._layout.run / "environment.lock", timeout=0)
        try:
            lock.acquire()
        except Timeout as error:
            raise Busy(f"another up or down is at work here (it holds {lock.lock_file})") from error
        try:
            yield
        finally:
            lock.release()
