"""Real processes under the real supervisor: order, readiness, deaths, nothing left."""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import psutil
import pytest

from strangler.dev.environment import Busy, Environment, ProcessFailed, Row
from strangler.dev.layout import Layout
from strangler.dev.process import HttpReady, Process, RunFirst
from strangler.dev.remains import remaining, start_ticks
from strangler.dev.supervisor import Supervisor

pytestmark = pytest.mark.real
Make = Callable[..., Process]


def until(condition: Callable[[], bool], seconds: float = 20) -> None:
    """Wait for what another process does; the limit is only there so that a broken one ends."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.02)


def is_zombie(pid: int) -> bool:
    """Ended, but its parent has not asked for its status."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def row(environment: Environment, name: str) -> Row:
    return next(row for row in environment.ps() if row.name == name)


def test_up_waits_for_what_is_needed_and_down_leaves_nothing(
    environment: Environment, layout: Layout, web: Make, says: Make, heard
) -> None:
    shop = web("shop", needs=("store",))
    store = web("store")
    worker = says("worker", "sleep 1000 & sleep 1000", needs=("shop",))
    environment.up([worker, shop, store], heard)
    assert heard.names("ready") == ["store", "shop", "worker"]
    rows = environment.ps()
    assert {row.name: row.state for row in rows} == {"store": "running", "shop": "running", "worker": "running"}
    assert httpx.get(f"http://127.0.0.1:{shop.port}/", trust_env=False).is_success
    pids = [(process.pid, start_ticks(process.pid)) for process in remaining(layout)]
    assert len(pids) >= 5  # the supervisor, two servers, the shell and its two children
    assert environment.down(heard) == len(pids)
    assert heard.names("stopped") == ["worker", "shop", "store"]
    assert remaining(layout) == []
    assert [pid for pid, ticks in pids if start_ticks(pid) == ticks and not is_zombie(pid)] == []
    assert {row.state for row in environment.ps()} == {"stopped"}
    assert environment.down(heard) == 0


def test_up_again_keeps_what_runs_and_restarts_what_changed(environment: Environment, web: Make, heard) -> None:
    one, two = web("one"), web("two")
    environment.up([one, two], heard)
    pids = {row.name: row.pid for row in environment.ps()}
    changed = Process("two", two.argv, two.ready, env={"COLOUR": "blue"}, port=two.port)
    three = web("three")
    heard.clear()
    environment.up([one, changed, three], heard)
    assert heard.names("kept") == ["one"]
    assert sorted(heard.names("ready")) == ["three", "two"]
    now = {row.name: row.pid for row in environment.ps()}
    assert now["one"] == pids["one"]
    assert now["two"] != pids["two"]
    heard.clear()
    environment.up([one], heard)
    assert sorted(heard.names("stopped")) == ["three", "two"]
    assert [row.name for row in environment.ps()] == ["one"]


def test_a_killed_process_comes_back_and_ps_tells(environment: Environment, web: Make, heard) -> None:
    server = web("server")
    environment.up([server], heard)
    before = row(environment, "server").pid
    assert before
    os.kill(before, signal.SIGKILL)
    until(lambda: row(environment, "server").state == "running" and row(environment, "server").pid != before)
    after = row(environment, "server")
    assert after.restarts == 1
    assert after.last_exit is not None and "SIGKILL" in after.last_exit


def test_one_that_dies_at_start_is_reported_with_its_last_lines_and_all_is_as_before(
    environment: Environment, layout: Layout, web: Make, says: Make, heard
) -> None:
    broken = says("broken", "echo 'no table called items'; exit 3", needs=("server",))
    with pytest.raises(
        ProcessFailed, match=r"(?s)broken ended while it started \(exit status 3\).*no table called items"
    ):
        environment.up([web("server"), broken], heard)
    assert heard.names("stopped") == ["server"]
    assert remaining(layout) == []


def test_a_failed_up_leaves_alone_what_ran_before(environment: Environment, web: Make, says: Make, heard) -> None:
    server = web("server")
    environment.up([server], heard)
    pid = row(environment, "server").pid
    with pytest.raises(ProcessFailed):
        environment.up([server, says("broken", "exit 3")], heard)
    assert row(environment, "server").pid == pid


def test_one_that_dies_for_good_is_failed_with_its_last_lines(
    environment: Environment, says: Make, heard, tmp_path: Path
) -> None:
    flag = tmp_path / "doomed"
    environment.up(
        [says("job", f"echo going; while ! test -e {flag}; do sleep 0.05; done; echo disk gone; exit 9")], heard
    )
    flag.touch()
    until(lambda: row(environment, "job").state == "failed")
    failed = row(environment, "job")
    assert "disk gone" in failed.last_lines
    assert failed.last_exit is not None and "exit status 9" in failed.last_exit


def test_before_runs_first_and_its_failure_says_its_lines(
    environment: Environment, layout: Layout, web: Make, tmp_path: Path, heard
) -> None:
    server = web("server", setup=(RunFirst((sys.executable, "-c", "open('migrated', 'w')")),))
    environment.up([server], heard)
    assert (tmp_path / "migrated").exists()
    environment.down(heard)
    wrong = web("server", setup=(RunFirst((sys.executable, "-c", "raise SystemExit('column missing')")),))
    with pytest.raises(ProcessFailed, match=r"(?s)\(before\) ended with 1.*column missing"):
        environment.up([wrong], heard)
    missing = web("server", setup=(RunFirst(("no-such-program",)),))
    with pytest.raises(ProcessFailed, match="no-such-program"):
        environment.up([missing], heard)
    assert remaining(layout) == []


def test_a_program_that_does_not_exist_is_named(environment: Environment, heard) -> None:
    with pytest.raises(ProcessFailed, match=r"no-such-server can't be started"):
        environment.up([Process("x", ("no-such-server",), HttpReady(("http://127.0.0.1:9/",)))], heard)


def test_one_that_never_gets_ready_is_stopped_and_says_what_was_asked(
    environment: Environment, layout: Layout, heard
) -> None:
    deaf = Process("deaf", ("sleep", "1000"), HttpReady(("http://127.0.0.1:9/health",)), ready_seconds=0.5)
    with pytest.raises(ProcessFailed, match=r"not ready after .*GET http://127\.0\.0\.1:9/health"):
        environment.up([deaf], heard)
    assert remaining(layout) == []


def test_what_runs_elsewhere_is_asked_and_never_stopped(environment: Environment, heard) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        answer = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(4096)
                connection.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        environment.up([Process("far", (), HttpReady((f"http://127.0.0.1:{port}/",)), port=port)], heard)
        thread.join()
    assert row(environment, "far").state == "external"
    with pytest.raises(ProcessFailed, match=r"far is not there"):
        environment.up([Process("far", (), HttpReady((f"http://127.0.0.1:{port}/",)), port=port)], heard)


def test_up_recovers_after_the_supervisor_alone_is_killed(
    environment: Environment, layout: Layout, web: Make, says: Make, heard
) -> None:
    processes = [web("server"), says("worker", "sleep 1000 & sleep 1000")]
    environment.up(processes, heard)
    supervisor = Supervisor(layout).pid
    assert supervisor
    psutil.Process(supervisor).kill()
    until(lambda: Supervisor(layout).pid is None)
    assert {row.state for row in environment.ps()} == {"orphaned"}
    orphans = {process.pid for process in remaining(layout)}
    assert orphans
    environment.up(processes, heard)
    assert any("without supervisor" in news.detail for news in heard)
    assert not orphans & {process.pid for process in remaining(layout)}
    assert {row.state for row in environment.ps()} == {"running"}


def test_up_recovers_after_kill_9_of_everything(environment: Environment, layout: Layout, web: Make, heard) -> None:
    processes = [web("one"), web("two", needs=("one",))]
    environment.up(processes, heard)
    killed = remaining(layout)
    for process in killed:
        process.kill()
    psutil.wait_procs(killed)
    until(lambda: Supervisor(layout).pid is None)
    assert {row.state for row in environment.ps()} == {"stopped"}
    environment.up(processes, heard)
    assert {row.state for row in environment.ps()} == {"running"}


def test_down_ends_what_a_killed_supervisor_left(environment: Environment, layout: Layout, web: Make, heard) -> None:
    environment.up([web("server")], heard)
    supervisor = Supervisor(layout).pid
    assert supervisor
    psutil.Process(supervisor).kill()
    until(lambda: Supervisor(layout).pid is None)
    environment.down(heard)
    assert remaining(layout) == []


def test_two_environments_side_by_side(tmp_path: Path, web: Make, heard) -> None:
    environments = []
    for name in ("left", "right"):
        (tmp_path / name).mkdir()
        layout = Layout(tmp_path / name / ".strangler")
        environments.append((Environment(layout, tmp_path / name), layout))
    (left, left_layout), (right, right_layout) = environments
    try:
        left.up([web("server")], heard)
        right.up([web("server")], heard)
        pid = row(right, "server").pid
        left.down(heard)
        assert remaining(left_layout) == []
        assert row(right, "server").pid == pid
        assert row(right, "server").state == "running"
    finally:
        left.down(heard)
        right.down(heard)
    assert remaining(right_layout) == []


def test_a_deep_and_odd_path_is_fine(tmp_path: Path, web: Make, heard) -> None:
    folder = tmp_path / "with blank and 100%s" / ("deep" * 30)
    folder.mkdir(parents=True)
    layout = Layout(folder / ".strangler")
    environment = Environment(layout, folder)
    try:
        environment.up([web("server", env={"ODD": "a'b\"c %(x)s, $HOME"})], heard)
        (pid,) = [row.pid for row in environment.ps()]
        assert psutil.Process(pid).environ()["ODD"] == "a'b\"c %(x)s, $HOME"
    finally:
        environment.down(heard)


def test_a_second_up_at_the_same_time_is_refused(
    environment: Environment, layout: Layout, web: Make, heard, tmp_path: Path
) -> None:
    flag = tmp_path / "go"
    wait = RunFirst(("sh", "-c", f"touch begun; while ! test -e {flag}; do sleep 0.05; done"))
    first = threading.Thread(target=environment.up, args=([web("slow", setup=(wait,))], heard))
    first.start()
    until((tmp_path / "begun").exists)
    with pytest.raises(Busy):
        Environment(layout, tmp_path).down(heard)
    flag.touch()
    first.join()
    assert row(environment, "slow").state == "running"


def test_launch_files_are_private(environment: Environment, layout: Layout, web: Make, heard) -> None:
    environment.up([web("server", env={"PASSWORD": "x"})], heard)
    assert layout.launch("server").stat().st_mode & 0o077 == 0
    assert layout.root.stat().st_mode & 0o077 == 0
    assert layout.supervisor_socket.stat().st_mode & 0o077 == 0
