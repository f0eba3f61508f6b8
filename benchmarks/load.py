"""A load client that costs little: epoll, keep-alive connections, one request under way on each.

Runs as a process of its own, so that it takes no time from what is measured:

    python -m benchmarks.load --port 8080 --seconds 2 --connections 32 [--rate 500] [--core 1]

Prints one JSON object at the end, or at SIGTERM: requests, failed{}, seconds, p50_ms, p99_ms.
"""

from __future__ import annotations

import argparse
import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass
from typing import Any

HEAD = b"host: shop.example\r\nuser-agent: load/1\r\naccept: application/json\r\naccept-encoding: identity\r\n"


@dataclass(frozen=True)
class Load:
    """What a client saw."""

    requests: int
    failed: dict[str, int]
    seconds: float
    p50_ms: float
    p99_ms: float

    @property
    def rate(self) -> float:
        return self.requests / self.seconds


def start(port: int, seconds: float, connections: int, *, rate: float = 0, core: int | None = None) -> Any:
    """A client process; ``result`` waits for it."""
    command = [sys.executable, "-m", "benchmarks.load", f"--port={port}", f"--seconds={seconds}"]
    command += [f"--connections={connections}", f"--rate={rate}"]
    if core is not None:
        command += [f"--core={core}"]
    return subprocess.Popen(command, stdout=subprocess.PIPE)


def result(process: Any) -> Load:
    """Raises RuntimeError when the client failed."""
    out, _ = process.communicate()
    if process.returncode != 0:
        raise RuntimeError(f"the load client ended with {process.returncode}")
    return Load(**json.loads(out))


def requests(users: int = 200) -> list[bytes]:
    """Item pages and lists of a few capabilities, and pages that none claims, by users with a few cookies."""
    made = []
    for n in range(users):
        capability, route = n % 3, n % 16
        path = f"/page/{n}" if n % 4 == 3 else f"/api/c{capability}/r{route * 3 + capability}/{n}?from=mail"
        cookies = f"cookie: theme=dark; session=5f2c{n:028x}; strangler_uid={n:032x}\r\n".encode()
        made.append(f"GET {path} HTTP/1.1\r\n".encode() + HEAD + cookies + b"\r\n")
    return made


def run(port: int, seconds: float, connections: int, rate: float, stop: list[int]) -> Load:
    """Send for that long, or until ``stop`` holds something; ``rate`` 0 is as fast as answers come."""
    poll = select.epoll()
    sockets: dict[int, socket.socket] = {}
    since: dict[int, float] = {}
    failed: Counter[str] = Counter()
    times: list[float] = []
    wanted = requests()
    sent = 0

    def connect() -> None:
        one = socket.create_connection(("127.0.0.1", port))
        one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        one.setblocking(False)
        sockets[one.fileno()] = one
        poll.register(one.fileno(), select.EPOLLIN)
        idle.append(one.fileno())

    idle: list[int] = []
    for _ in range(connections):
        connect()
    clock = time.perf_counter
    begun = clock()
    end = begun + seconds
    while not stop:
        now = clock()
        if now >= end:
            break
        while idle and (not rate or sent < (now - begun) * rate):
            number = idle.pop()
            since[number] = now
            sockets[number].send(wanted[sent % len(wanted)])
            sent += 1
        wait = min(end - now, 0.001 if rate and idle else 1.0)
        for number, _ in poll.poll(wait):
            answer = sockets[number].recv(65536)
            now = clock()
            times.append(now - since.pop(number))
            if answer[9:12] != b"200":
                failed[answer[9:12].decode() or "closed"] += 1
            if answer:
                idle.append(number)
            else:
                poll.unregister(number)
                sockets.pop(number).close()
                connect()
    took = clock() - begun
    times.sort()
    at = [times[min(len(times) - 1, int(len(times) * part))] * 1000 if times else 0.0 for part in (0.5, 0.99)]
    return Load(len(times), dict(failed), took, *at)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--rate", type=float, default=0)
    parser.add_argument("--core", type=int)
    given = parser.parse_args()
    if given.core is not None:
        os.sched_setaffinity(0, {given.core})
    stop: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _: stop.append(number))
    print(json.dumps(run(given.port, given.seconds, given.connections, given.rate, stop).__dict__))


if __name__ == "__main__":
    main()
