"""Two schemas of one server, armed: nothing here asks how many servers there are."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from cdc.database import Database
from cdc.mapping import CapabilityMapping
from cdc.ownership.arm import arm
from cdc.ownership.row import forget
from cdc.ownership.side import Sides
from strangler.dev.server import PrivateServer
from tests.cdc.ownership import shop


@dataclass(frozen=True)
class Armed:
    mapping: CapabilityMapping
    sides: Sides

    @property
    def name(self) -> str:
        return self.mapping.capability


@pytest.fixture(params=["mysql_legacy", "mariadb_server"])
def server(request: pytest.FixtureRequest) -> PrivateServer:
    found: PrivateServer = request.getfixturevalue(request.param)
    return found


@pytest.fixture
def armed(server: PrivateServer, fresh_schema: Callable[[PrivateServer], Database]) -> Iterator[Armed]:
    sides = shop.make(fresh_schema(server), fresh_schema(server))
    made = Armed(shop.mapping(f"buying-{secrets.token_hex(3)}"), sides)
    arm(made.mapping, sides)
    yield made
    forget(sides, made.name)
