"""Processes of an environment that run without its supervisor, found by what they were started with; and ending them.

Two marks, as neither is enough alone: a note of pid and start time that ``launch.py`` leaves (it doesn't know of
children), and a variable in the environment that children inherit (Redis overwrites its own).
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import psutil

from strangler.dev.launch import MARK
from strangler.dev.layout import Layout


def start_ticks(pid: int) -> int | None:
    """When the process was created, in clock ticks since boot; None if there is no such process."""
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[19])
    except (FileNotFoundError, ProcessLookupError):
        return None


def noted(layout: Layout, name: str) -> tuple[int, str] | None:
    """Pid and spec of the process ``name`` as last started, if that very process is still there."""
    try:
        note = json.loads(layout.started(name).read_text())
    except FileNotFoundError:
        return None
    return (note["pid"], note["spec"]) if start_ticks(note["pid"]) == note["ticks"] else None


def remaining(layout: Layout) -> list[psutil.Process]:
    """Everything alive that belongs to the environment, the supervisor included; never this process or its parents."""
    mine = {os.getpid(), *(parent.pid for parent in psutil.Process().parents())}
    found: dict[int, psutil.Process] = {}
    for file in (layout.run / "started").glob("*.json"):
        if note := noted(layout, file.stem):
            found[note[0]] = psutil.Process(note[0])
    for process in psutil.process_iter():
        try:
            if process.environ().get(MARK) == str(layout.root):
                found[process.pid] = process
        except (psutil.AccessDenied, psutil.NoSuchProcess, psutil.ZombieProcess, OSError):
            continue  # another user's, or gone meanwhile
    return [
        process
        for pid, process in sorted(found.items())
        if pid not in mine and process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    ]


def end(processes: list[psutil.Process], patience_seconds: float = 60.0) -> None:
    """SIGTERM, and SIGKILL for those that are still there after ``patience_seconds``. Returns when all are gone."""
    for process in processes:
        try:
            process.terminate()
        except psutil.NoSuchProcess:
            continue
    _, stubborn = psutil.wait_procs(processes, timeout=patience_seconds)
    for process in stubborn:
        try:
            process.kill()
        except psutil.NoSuchProcess:
            continue
    psutil.wait_procs(stubborn, timeout=patience_seconds)
