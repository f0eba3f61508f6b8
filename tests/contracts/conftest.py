"""Small sides: real HTTP servers on loopback ports, with an API of two routes and a contract for it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest
from flask import Flask, Response, request
from werkzeug.serving import make_server

from contracts.case import Contract, require
from contracts.shape import COUNT, TEXT, check, each, record
from contracts.visitor import Visitor


@dataclass
class Side:
    """What a small side answers can be changed while it runs: bodies by path, in the order they are handed out (the
    last one stays)."""

    url: str = ""
    bodies: dict[str, list[bytes]] = field(
        default_factory=lambda: {
            "/things": [b'{"things":["a","b"],"total":2}'],
            "/things/a": [b'{"name":"a"}'],
            "/things/b": [b'{"name":"b"}'],
        }
    )
    asked: list[str] = field(default_factory=list)

    def answer(self, path: str) -> Response:
        self.asked.append(path)
        bodies = self.bodies.get(path)
        if bodies is None:
            return Response(b"{}", 404, mimetype="application/json")
        return Response(bodies.pop(0) if len(bodies) > 1 else bodies[0], mimetype="application/json")


@pytest.fixture
def start_side() -> Iterator[Callable[[], Side]]:
    stops = []

    def start() -> Side:
        side = Side()
        app = Flask("side")
        app.add_url_rule("/<path:_>", view_func=lambda _: side.answer(request.path))
        server = make_server("127.0.0.1", 0, app, threaded=True)
        side.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        stops.append((server, thread))
        return side

    yield start
    for server, thread in stops:
        server.shutdown()
        thread.join(5)


@pytest.fixture
def legacy(start_side: Callable[[], Side]) -> Side:
    return start_side()


@pytest.fixture
def new(start_side: Callable[[], Side]) -> Side:
    return start_side()


@pytest.fixture
def contract() -> Contract:
    contract = Contract("things")

    @contract.case("things are listed")
    def listed(visitor: Visitor) -> None:
        body = check(visitor.get("/things"), 200, record(things=each(TEXT), total=COUNT))
        require(body["total"] == len(body["things"]), "total is not the number of things")

    @contract.case("each thing has a page")
    def pages(visitor: Visitor) -> None:
        for name in check(visitor.get("/things"), 200, record(things=each(TEXT), total=COUNT))["things"]:
            body = check(visitor.get(f"/things/{name}"), 200, record(name=TEXT))
            require(body["name"] == name, f"the page of {name} is that of {body['name']}")

    return contract
