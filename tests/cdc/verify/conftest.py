"""Two schemas on real servers, one mapping between them, and what a test plants in them."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import pytest

from cdc.database import Database
from cdc.expression import quote
from cdc.mapping import CapabilityMapping, TableMapping
from cdc.session import open_session
from cdc.verify import VerifyResult, verify_capability
from strangler.dev.server import PrivateServer

PAIRS = {
    "mysql-mysql": ("mysql_legacy", "mysql_new"),
    "mariadb-mariadb": ("mariadb_server", "mariadb_server"),
    "mysql-mariadb": ("mysql_legacy", "mariadb_server"),
}


def execute(database: Database, *statements: str) -> list[tuple[Any, ...]]:
    """Run the statements in one transaction; the rows of the last."""
    with closing(open_session(database)) as session, session.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
        rows = list(cursor.fetchall())
        session.commit()
        return rows


@dataclass
class Lab:
    legacy: Database
    new: Database

    def create(self, legacy_ddl: str, new_ddl: str, mapping: TableMapping, *inserts: str) -> CapabilityMapping:
        """Both tables, filled: the new one through the mapping's expressions, evaluated by its own server."""
        execute(self.legacy, legacy_ddl, *inserts)
        staging = quote(f"legacy_{mapping.source}")
        source = quote(mapping.source)
        expressions = mapping.expressions
        columns = ", ".join(quote(name) for name in expressions)
        execute(
            self.new,
            legacy_ddl,
            *inserts,
            f"RENAME TABLE {source} TO {staging}",
            new_ddl,
            f"INSERT INTO {quote(mapping.table)} ({columns}) SELECT {', '.join(expressions.values())} FROM {staging}"
            f" WHERE {mapping.where or 'TRUE'}",
            f"DROP TABLE {staging}",
        )
        return CapabilityMapping("catalog", (mapping,))

    def verify(self, mapping: CapabilityMapping, **options: Any) -> VerifyResult:
        return verify_capability(mapping, self.legacy, self.new, **options)


@pytest.fixture(params=list(PAIRS))
def lab(request: pytest.FixtureRequest, fresh_schema: Callable[[PrivateServer], Database]) -> Lab:
    """Once per pair of servers."""
    legacy, new = (request.getfixturevalue(name) for name in PAIRS[request.param])
    return Lab(fresh_schema(legacy), fresh_schema(new))


@pytest.fixture
def mysql_lab(
    mysql_legacy: PrivateServer, mysql_new: PrivateServer, fresh_schema: Callable[[PrivateServer], Database]
) -> Lab:
    """For what does not depend on the kind of server."""
    return Lab(fresh_schema(mysql_legacy), fresh_schema(mysql_new))


@pytest.fixture(name="execute")
def execute_fixture() -> Callable[..., list[tuple[Any, ...]]]:
    return execute
