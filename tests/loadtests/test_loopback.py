from __future__ import annotations

import pytest

from loadtests.loopback import NotLoopback, loopback


@pytest.mark.parametrize("url", ["http://127.0.0.1:8080/", "http://127.9.9.9", "http://localhost:80", "http://[::1]:9"])
def test_this_machine_is_fine(url: str) -> None:
    assert loopback(url) == url.rstrip("/")


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://10.1.2.3:80", "this machine only, 10.1.2.3 is 10.1.2.3"),
        ("http://0.0.0.0:80", "this machine only"),
        ("https://127.0.0.1", "must be an address such as"),
        ("127.0.0.1:80", "must be an address such as"),
        ("http://127.0.0.1@10.1.2.3/", "this machine only"),
        ("http://no-such-host.invalid/", "can't be used"),
    ],
)
def test_anything_else_is_refused(url: str, said: str) -> None:
    with pytest.raises(NotLoopback, match=said):
        loopback(url)
