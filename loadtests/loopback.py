"""Load stays on this machine."""

from __future__ import annotations

import ipaddress
import socket
from urllib.parse import urlsplit


class NotLoopback(ValueError):
    """The address is not this machine's own, or is no http address at all."""


def loopback(url: str) -> str:
    """``url`` without a slash at the end. Raises NotLoopback unless it is http on a loopback address."""
    parts = urlsplit(url)
    if parts.scheme != "http" or not parts.hostname:
        raise NotLoopback(f"the host must be an address such as http://127.0.0.1:8080, not {url!r}")
    try:
        found = socket.getaddrinfo(parts.hostname, parts.port or 80, type=socket.SOCK_STREAM)
    except (OSError, ValueError) as error:
        raise NotLoopback(f"the host of {url!r} can't be used: {error}") from error
    foreign = sorted({str(entry[4][0]) for entry in found if not ipaddress.ip_address(entry[4][0]).is_loopback})
    if foreign:
        raise NotLoopback(f"load goes to this machine only, {parts.hostname} is {', '.join(foreign)}")
    return url.rstrip("/")
