"""The process supervisor: its configuration from our processes, and its XML-RPC interface over a private socket."""

from __future__ import annotations

import os
import resource
import shlex
import subprocess
import sys
import time
import xmlrpc.client
from collections.abc import Iterable
from dataclasses import dataclass
from http.client import HTTPException
from typing import Any, cast

from supervisor.xmlrpc import SupervisorTransport

from strangler.dev import launch
from strangler.dev.layout import Layout, private_folder
from strangler.dev.process import Process
from strangler.dev.server import last_lines, write_private

START_SECONDS = 15.0
OPEN_FILES = 65_536
ALREADY_ADDED, STILL_RUNNING, BAD_NAME, ALREADY_STARTED, NOT_RUNNING = 90, 91, 10, 60, 70
"""Faults of the supervisor's interface (supervisor/xmlrpc.py)."""


class SupervisorError(Exception):
    """The supervisor can't be started or does not answer; the text says why."""


@dataclass(frozen=True)
class Seen:
    """What the supervisor says of a process. ``state`` is its word, in lower case; pid 0 means there is none."""

    name: str
    state: str
    pid: int
    started: int
    """Unix seconds of the last start."""
    exit_status: int
    error: str


def configuration(processes: Iterable[Process], layout: Layout) -> str:
    """The supervisor's file. Pure. Processes start only when asked, and again when they die by themselves.

    Paths are relative to the ``.strangler`` folder, where the supervisor runs: it expands percent signs in some values
    once and in others twice.
    """
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    files = OPEN_FILES if limit == resource.RLIM_INFINITY else min(limit, OPEN_FILES)
    sections = [
        "[unix_http_server]",
        f"file = {layout.supervisor_socket}",
        "chmod = 0700",
        "[supervisord]",
        f"logfile = {layout.log('supervisor').relative_to(layout.root)}",
        f"pidfile = {layout.run.relative_to(layout.root)}/supervisor.pid",
        f"childlogdir = {layout.logs.relative_to(layout.root)}",
        "nodaemon = true",
        "silent = true",
        f"minfds = {files}",
        *(["user = root"] if os.geteuid() == 0 else []),
        "[rpcinterface:supervisor]",
        "supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface",
    ]
    for process in processes:
        file = layout.launch(process.name).relative_to(layout.root)
        command = shlex.join((sys.executable, "-S", "-E", launch.__file__, str(file)))
        sections += [
            f"[program:{process.name}]",
            "command = " + command.replace("%", "%%"),
            f"stdout_logfile = {layout.log(process.name).relative_to(layout.root)}",
            "stdout_logfile_maxbytes = 50MB",
            "stdout_logfile_backups = 1",
            "redirect_stderr = true",
            "autostart = false",
            "autorestart = unexpected",
            "startsecs = 1",
            "startretries = 3",
            "stopasgroup = true",
            "killasgroup = true",
            f"stopwaitsecs = {process.stop_seconds}",
        ]
    return "\n".join(sections) + "\n"


class Supervisor:
    """The supervisor of one environment. Each call opens its own connection, so that threads may share this object."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout

    @property
    def pid(self) -> int | None:
        """Of the supervisor that answers, or None if none does."""
        try:
            return int(self._call("getPID"))
        except SupervisorError:
            return None

    def start(self, processes: Iterable[Process]) -> bool:
        """Start it for these processes, or tell the running one about them. Gives whether it was started now.

        A process that is known and runs is left alone, whatever its configuration. Raises SupervisorError.
        """
        file = self._layout.run / "supervisor.conf"
        write_private(file, configuration(processes, self._layout))
        if self.pid is not None:
            self._reload()
            return False
        private_folder(self._layout.supervisor_socket.parent)
        # A socket that a killed supervisor left behind: nobody answered on it.
        self._layout.supervisor_socket.unlink(missing_ok=True)
        said = self._layout.log("supervisor-start")
        with said.open("wb") as output:
            started = subprocess.Popen(
                [sys.executable, "-m", "supervisor.supervisord", "--configuration", "run/supervisor.conf"],
                env=os.environ | {launch.MARK: str(self._layout.root), "PYTHONWARNINGS": "ignore"},
                cwd=self._layout.root,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        deadline = time.monotonic() + START_SECONDS
        while self.pid is None:
            if started.poll() is not None:
                raise SupervisorError(f"the process supervisor ended by itself:\n{last_lines(said)}")
            if time.monotonic() > deadline:
                started.kill()
                raise SupervisorError(f"the process supervisor did not answer within {START_SECONDS:.0f} s, see {said}")
            time.sleep(0.02)
        return True

    def seen(self) -> dict[str, Seen]:
        """All processes it knows, by name. Raises SupervisorError if it does not answer."""
        return {
            info["name"]: Seen(
                info["name"],
                info["statename"].lower(),
                info["pid"],
                info["start"],
                info["exitstatus"],
                info["spawnerr"],
            )
            for info in self._call("getAllProcessInfo")
        }

    def start_process(self, name: str) -> None:
        """Start it, and return at once. Does nothing if it is started."""
        self._call("startProcess", name, False, ignore=(ALREADY_STARTED,))

    def stop_process(self, name: str) -> None:
        """Stop it, and return when it is gone: SIGKILL follows SIGTERM in time. Does nothing if it isn't running."""
        self._call("stopProcess", name, True, ignore=(NOT_RUNNING, BAD_NAME))

    def shut_down(self) -> None:
        """Stop whatever still runs, and the supervisor. Returns at once."""
        self._call("shutdown")

    def _reload(self) -> None:
        added, changed, removed = cast("list[list[str]]", self._call("reloadConfig")[0])
        for name in (*removed, *changed):
            self._call("stopProcessGroup", name, True)
            self._call("removeProcessGroup", name)
        for name in (*added, *changed):
            self._call("addProcessGroup", name, ignore=(ALREADY_ADDED,))

    def _call(self, method: str, *arguments: Any, ignore: tuple[int, ...] = ()) -> Any:
        socket = f"unix://{self._layout.supervisor_socket}"
        # The host is only there to please the parser; the transport knows where to go.
        with xmlrpc.client.ServerProxy("http://localhost", transport=SupervisorTransport(None, None, socket)) as proxy:
            try:
                return getattr(proxy.supervisor, method)(*arguments)
            except xmlrpc.client.Fault as fault:
                if fault.faultCode in ignore:
                    return None
                raise SupervisorError(
                    f"the process supervisor refused {method}{arguments}: {fault.faultString}"
                ) from fault
            except (OSError, HTTPException, xmlrpc.client.ProtocolError) as error:
                raise SupervisorError(f"the process supervisor does not answer ({error})") from error
