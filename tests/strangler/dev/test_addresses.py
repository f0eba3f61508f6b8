"""Ports: as configured, as before, or free."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from strangler.dev.addresses import Addresses, host_and_port
from strangler.dev.ports import FIRST, LAST, PortTaken, free_port, is_free


@pytest.fixture
def taken() -> Iterator[int]:
    """A port somebody listens on."""
    with socket.create_server(("127.0.0.1", free_port())) as listener:
        yield int(listener.getsockname()[1])


def test_a_free_one_is_in_the_range_and_not_avoided() -> None:
    port = free_port()
    assert FIRST <= port <= LAST
    assert is_free(port)


def test_a_configured_port_that_is_taken_names_key_and_holder(taken: int) -> None:
    with pytest.raises(PortTaken, match=rf"proxy\.listen: port {taken} is taken by \S+ \(pid \d+\)"):
        Addresses([]).give("proxy.listen", None, taken)


def test_a_configured_port_that_we_hold_ourselves_is_kept(taken: int) -> None:
    assert Addresses([taken]).give("proxy.listen", None, taken) == taken


def test_a_configured_port_used_twice(taken: int) -> None:
    port = free_port()
    addresses = Addresses([])
    addresses.give("proxy.listen", None, port)
    with pytest.raises(PortTaken, match=r"control\.listen.*something else"):
        addresses.give("control.listen", None, port)


def test_the_port_of_before_is_kept_while_nobody_else_has_it(taken: int) -> None:
    before = free_port()
    assert Addresses([]).give("x", before) == before
    assert Addresses([]).give("x", taken) != taken
    assert Addresses([taken]).give("x", taken) == taken


def test_no_port_is_given_twice() -> None:
    addresses = Addresses([])
    before = free_port()
    given = [addresses.give("x", before) for _ in range(50)]
    assert len(set(given)) == 50


@pytest.mark.parametrize(
    ("listen", "parts"),
    [
        ("127.0.0.1:0", ("127.0.0.1", 0)),
        (":8080", ("127.0.0.1", 8080)),
        ("0.0.0.0:80", ("0.0.0.0", 80)),
        ("[::1]:80", ("::1", 80)),
    ],
)
def test_host_and_port(listen: str, parts: tuple[str, int]) -> None:
    assert host_and_port(listen) == parts
