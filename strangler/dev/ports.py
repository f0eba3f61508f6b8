"""Free ports on the loopback interface, remembered so that a restart keeps them."""

from __future__ import annotations

import random
import socket

LOOPBACK = "127.0.0.1"
# Below the range from which the kernel takes the near end of outgoing connections, so that no client sits on it.
FIRST, LAST = 20_000, 31_999


class PortTaken(Exception):
    """A port that was asked for by number is in use; the text names it and what asked for it."""


def is_free(port: int, host: str = LOOPBACK) -> bool:
    """Whether a server could listen there now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # As servers do: a port whose last connections are only lingering counts as free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def free_port(avoid: frozenset[int] | set[int] = frozenset()) -> int:
    """A port that is free now and not in ``avoid``. Chosen at random, so that parallel runs seldom meet."""
    for _ in range(2_000):
        port = random.randint(FIRST, LAST)
        if port not in avoid and is_free(port):
            return port
    raise PortTaken(f"no free port between {FIRST} and {LAST} on {LOOPBACK}")
